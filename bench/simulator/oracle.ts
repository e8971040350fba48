/**
 * The best that a device can do with rows of these lengths: its own table, no noise, no arrival to wait for, and an exact
 * partition of two thousand rows that are all there. Nobody reaches it who has to decide with a window and a clock.
 */
import type { CallMs } from './latency-table.ts';
import type { Lengths } from './lengths.ts';
import { createRandom } from './random.ts';
import { overheadMs } from './simulate.ts';

const sampleRows = 2048;
const rowsMax = 256;

export interface OracleTerms {
  /** What fits into memory, in padded units. */
  readonly unitsMax?: number;
  /** Whether calls take the simulator's overhead too; a table that was measured through lanes has it. */
  readonly withOverhead?: boolean;
}

/** Rows a second over all lanes. */
export function oracleRate(callMs: CallMs, lengths: Lengths, lanes: number, terms: OracleTerms = {}): number {
  const { unitsMax = Number.POSITIVE_INFINITY, withOverhead = true } = terms;
  const sorted = sampleLengths(lengths).toSorted((a, b) => a - b);
  const extraMs = withOverhead ? overheadMs : 0;
  const best = new Float64Array(sorted.length + 1);
  for (let end = 1; end <= sorted.length; end++) {
    const length = sorted[end - 1] as number;
    let least = Number.POSITIVE_INFINITY;
    for (let begin = end - 1; begin >= Math.max(0, end - rowsMax); begin--) {
      if (end - begin > 1 && (end - begin) * length > unitsMax) break;
      least = Math.min(least, (best[begin] as number) + extraMs + callMs(end - begin, length));
    }
    best[end] = least;
  }
  return (lanes * 1000 * sorted.length) / (best[sorted.length] as number);
}

/** Rows a second when each runs alone. */
export function loneRate(callMs: CallMs, lengths: Lengths, lanes: number): number {
  const sample = sampleLengths(lengths);
  const ms = sample.reduce((sum, length) => sum + overheadMs + callMs(1, length), 0);
  return (lanes * 1000 * sample.length) / ms;
}

function sampleLengths(lengths: Lengths): number[] {
  const random = createRandom(99);
  return Array.from({ length: sampleRows }, () => lengths(random));
}
