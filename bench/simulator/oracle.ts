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

/** Rows a second over all lanes. `unitsMax`: what fits into memory. */
export function oracleRate(
  callMs: CallMs,
  lengths: Lengths,
  lanes: number,
  unitsMax = Number.POSITIVE_INFINITY,
): number {
  const random = createRandom(99);
  const sorted = Array.from({ length: sampleRows }, () => lengths(random)).toSorted((a, b) => a - b);
  return (lanes * 1000 * sampleRows) / leastMs(sorted, callMs, unitsMax);
}

function leastMs(sorted: readonly number[], callMs: CallMs, unitsMax: number): number {
  const best = new Float64Array(sorted.length + 1);
  for (let end = 1; end <= sorted.length; end++) {
    const length = sorted[end - 1] as number;
    let least = Number.POSITIVE_INFINITY;
    for (let begin = end - 1; begin >= Math.max(0, end - rowsMax); begin--) {
      if (end - begin > 1 && (end - begin) * length > unitsMax) break;
      least = Math.min(least, (best[begin] as number) + overheadMs + callMs(end - begin, length));
    }
    best[end] = least;
  }
  return best[sorted.length] as number;
}

/** Rows a second when each runs alone. */
export function loneRate(callMs: CallMs, lengths: Lengths, lanes: number): number {
  const random = createRandom(99);
  let ms = 0;
  for (let i = 0; i < sampleRows; i++) ms += overheadMs + callMs(1, lengths(random));
  return (lanes * 1000 * sampleRows) / ms;
}
