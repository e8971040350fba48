/**
 * B6: tokens per second of texts that end at different lengths. Continuous batching in slots over what the graph alone
 * could do (B rows per t(B)), over static batches with and without eviction, and over one row at a time; cohorts of a
 * stock export over the same rule written by hand, and over `generate` of transformers.js; and as many rows at once as the
 * engine finds best, over fixed counts. The encoder's part is left out on both sides.
 */
import { RowLimit } from '../../workers/scheduling/steps/row-limit.ts';
import type { BenchOptions } from '../method/options.ts';
import { type Figure, finish, printTable } from '../method/report.ts';
import { createRandom } from '../simulator/random.ts';
import { writeBatch } from './plain-loop.ts';
import { type Block, type Race, raceHeaders, runRace } from './race.ts';
import { meanPosition, raggedTokens } from './ragged.ts';
import { recordStep } from './step-limit.ts';
import { streamOf } from './stream-of.ts';
import { openSlots, openStock, type Subject } from './subjects.ts';
import { openTransformersJs, transformersJsRaces } from './transformers-js.ts';

const batches = [8, 16];
/** The tests' stock export has a few layers: what is around the graph is most of its time, so it shows just that. */
const stockBatch = 8;
const drawnTexts = 10_000;

export async function benchB6({ pairs, seconds, only, keep }: BenchOptions): Promise<void> {
  const [slots, stock] = [await openSlots(), await openStock()];
  const peer = transformersJsRaces.some(({ name }) => name.includes(only)) ? await openTransformersJs() : null;
  const races = [
    ...(await Promise.all(batches.map((rows) => racesOf(slots, rows)))).flat(),
    ...learnedRaces(slots),
    stockRace(stock),
    ...(peer?.races ?? []),
  ];
  const figures: Figure[] = [];
  const table: (string | number)[][] = [];
  for (const race of races.filter(({ name }) => name.includes(only))) {
    const { figure, line } = await runRace(race, { pairs, seconds });
    figures.push(figure);
    table.push(line);
  }
  await peer?.stop();
  printTable(raceHeaders, table);
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
