/** One race of B6: two blocks by turns, a ratio of their tokens per second for each pair, and a line of the table. */
import type { BenchOptions } from '../method/options.ts';
import { measurePairs, median, ratioOf } from '../method/ratio.ts';
import type { Figure } from '../method/report.ts';
import type { Work } from './ragged-stream.ts';

/** Runs until told. */
export type Block = (isOver: () => boolean) => Promise<Work>;

export interface Race {
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

export const raceHeaders = ['ours over', 'tokens/s', 'rows a step', 'the other: tokens/s', 'rows a step'];

export async function runRace(
  { name, target, meaning, learnsSeconds, ...blocks }: Race,
  { pairs, seconds }: Pick<BenchOptions, 'pairs' | 'seconds'>,
): Promise<{ figure: Figure; line: (string | number)[] }> {
  const ours = async () => await timed(blocks.ours, seconds);
  const other = async () => await timed(blocks.other, seconds);
  await timed(blocks.ours, learnsSeconds ?? seconds / 5);
  await timed(blocks.other, seconds / 5);
  const { a, b } = await measurePairs(pairs, ours, other);
  return {
    figure: { name, target, meaning, ratio: ratioOf(a.map(rateOf), b.map(rateOf)) },
    line: [name, ...middle(a), ...middle(b)],
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
