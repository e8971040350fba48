/**
 * B6: tokens per second of texts that end at different lengths. Continuous batching in slots over what the graph alone
 * could do (B rows per t(B)), over static batches with and without eviction, and over one row at a time; cohorts of a
 * stock export over the same rule written by hand; and as many rows at once as the engine finds best, over fixed counts.
 * The encoder's part is left out on both sides.
 */
import { createDecoder } from '../../models/generation/create-decoder.ts';
import { RowLimit } from '../../workers/scheduling/steps/row-limit.ts';
import type { BenchOptions } from '../method/options.ts';
import { measurePairs, median, ratioOf } from '../method/ratio.ts';
import { type Figure, finish, printTable } from '../method/report.ts';
import { createRandom } from '../simulator/random.ts';
import { writeBatch } from './plain-loop.ts';
import { meanPosition, raggedTokens } from './ragged.ts';
import { RaggedStream, type Rule, type Work } from './ragged-stream.ts';
import { recordStep } from './step-limit.ts';
import { openSlots, openStock, type Subject } from './subjects.ts';

const batches = [8, 16];
/** The stock export is a fixture of a few layers: what is around the graph is most of its time, so it shows just that. */
const stockBatch = 8;
const drawnTexts = 10_000;

/** Runs until told. */
type Block = (isOver: () => boolean) => Promise<Work>;

interface Race {
  readonly name: string;
  readonly target: string;
  readonly meaning: string;
  readonly ours: Block;
  readonly other: Block;
  /** What ours needs before it is measured. */
  readonly learnsSeconds?: number;
}

interface Measured {
  readonly perSecond: number;
  readonly rowsPerStep: number;
}

export async function benchB6({ pairs, seconds, only, keep }: BenchOptions): Promise<void> {
  const [slots, stock] = [await openSlots(), await openStock()];
  const races = [
    ...(await Promise.all(batches.map((rows) => racesOf(slots, rows)))).flat(),
    ...learnedRaces(slots),
    stockRace(stock),
  ];
  const figures: Figure[] = [];
  const table: (string | number)[][] = [];
  for (const race of races.filter(({ name }) => name.includes(only))) {
    const ours = async () => await timed(race.ours, seconds);
    const other = async () => await timed(race.other, seconds);
    await timed(race.ours, race.learnsSeconds ?? seconds / 5);
    await timed(race.other, seconds / 5);
    const { a, b } = await measurePairs(pairs, ours, other);
    const { name, target, meaning } = race;
    figures.push({ name, target, meaning, ratio: ratioOf(a.map(rateOf), b.map(rateOf)) });
    table.push([name, ...middle(a), ...middle(b)]);
  }
  printTable(['ours over', 'tokens/s', 'rows a step', 'the other: tokens/s', 'rows a step'], table);
  finish('B6', figures, {}, keep);
}

async function racesOf(subject: Subject, rows: number): Promise<Race[]> {
  const random = createRandom(1);
  const position = meanPosition(Array.from({ length: drawnTexts }, () => raggedTokens(random)));
  const step = await recordStep(subject, rows, position);
  const ours = streamOf(subject, 'refill', rows);
  const race = (name: string, target: string, meaning: string, other: Block): Race => {
    return { name: `B=${rows} over ${name}`, target, meaning: `tokens/s in slots over ${meaning}`, ours, other };
  };
  return [
    race('B/t(B)', '>= 0.9', `a step of ${rows} rows of the graph alone`, stepsOf(step, rows)),
    race('static + evict', '>= 1', 'batches whose rows leave when they end', streamOf(subject, 'evict', rows)),
    race('static', '>= 1', 'batches that end with their longest row', streamOf(subject, 'static', rows)),
    race('B=1', '>= 1', 'one row at a time', streamOf(subject, 'refill', 1)),
  ];
}

/** One limit for all of them: it learns once. */
function learnedRaces(subject: Subject): Race[] {
  const most = Math.max(...batches);
  const limit = new RowLimit(most);
  const ours = streamOf(
    subject,
    'refill',
    () => limit.rowsAt(performance.now()),
    (lines, stepMs) => limit.note({ steps: 1, lines, stepMs }, performance.now()),
  );
  return batches.map((rows) => ({
    name: `${most} at most over B=${rows}`,
    target: '>= 1',
    meaning: `tokens/s of as many rows as the engine finds best, over ${rows} at once`,
    ours,
    other: streamOf(subject, 'refill', rows),
    learnsSeconds: 15,
  }));
}

function stockRace(subject: Subject): Race {
  const random = createRandom(3);
  return {
    name: `stock, B=${stockBatch} over static + evict`,
    target: '>= 1',
    meaning: 'tokens/s of cohorts over the same rule written by hand; a tiny model, overhead dominates',
    ours: streamOf(subject, 'evict', stockBatch),
    other: async (isOver) => {
      const work = { tokens: 0, lines: 0, steps: 0 };
      do {
        const texts = Array.from({ length: stockBatch }, () => raggedTokens(random));
        const { tokens, lines, steps } = await writeBatch(subject, texts);
        work.tokens += tokens;
        work.lines += lines;
        work.steps += steps;
      } while (!isOver());
      return work;
    },
  };
}

/** A decoder of its own; its texts are drawn from the same seed for each rule. */
function streamOf(
  { engine, plan, sessions, row }: Subject,
  rule: Rule,
  rows: number | (() => number),
  onStep?: (lines: number, ms: number) => void,
): Block {
  const random = createRandom(2);
  const nextTokens = () => raggedTokens(random);
  const decoder = createDecoder(engine, plan, sessions);
  const atOnce = typeof rows === 'number' ? () => rows : rows;
  const stream = new RaggedStream(decoder, { rule, atOnce, nextTokens, rowOf: row, ...(onStep && { onStep }) });
  return async (isOver) => await stream.run(isOver);
}

function stepsOf(step: () => Promise<void>, rows: number): Block {
  return async (isOver) => {
    let steps = 0;
    do {
      await step();
      steps++;
    } while (!isOver());
    return { tokens: rows * steps, lines: rows * steps, steps };
  };
}

async function timed(block: Block, seconds: number): Promise<Measured> {
  const startedAt = performance.now();
  const { tokens, lines, steps } = await block(() => performance.now() - startedAt >= seconds * 1000);
  return { perSecond: (1000 * tokens) / (performance.now() - startedAt), rowsPerStep: lines / steps };
}

function rateOf({ perSecond }: Measured): number {
  return perSecond;
}

function middle(blocks: readonly Measured[]): [number, number] {
  return [median(blocks.map(rateOf)), median(blocks.map(({ rowsPerStep }) => rowsPerStep))];
}
