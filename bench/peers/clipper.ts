/**
 * Clipper. Rows by deadline; the time that the first one has left is the budget. As long as the longest call seen stays
 * below 0.92 of it, the size is explored upwards: by one below ten, then by a tenth; five calls of a size before the next.
 * Otherwise the largest size whose predicted time, mean plus three deviations, fits. (There by kernel ridge regression, and
 * exploring with made-up rows where too few wait: neither changes what is chosen among rows that are there.)
 */
import type { EndedCall, SchedulingPolicy, WaitingRow } from '../../workers/scheduling/policy.ts';
import { firstOfClass } from './first-of-class.ts';

const safe = 0.92;
const callsPerSize = 5;
const deviations = 3;
const rowsMax = 256;

interface Seen {
  calls: number;
  sum: number;
  squares: number;
}

export function clipper(levelMs = 150): SchedulingPolicy {
  const sizes = new Map<number, Seen>();
  let exploring = 1;
  let longestMs = 0;
  return {
    choose({ nowMs, waiting }) {
      const rows = firstOfClass(waiting);
      const [first] = rows;
      if (!first) return { rows };
      const budgetMs = first.arrivedMs + levelMs - nowMs;
      const size = safe * budgetMs > longestMs ? exploring : largestWithin(sizes, budgetMs);
      return { rows: rows.slice(0, Math.max(1, size)) };
    },
    ended({ rows, startedMs, endedMs }: EndedCall<WaitingRow>) {
      const ms = endedMs - startedMs;
      const seen = sizes.get(rows.length) ?? { calls: 0, sum: 0, squares: 0 };
      sizes.set(rows.length, seen);
      seen.calls++;
      seen.sum += ms;
      seen.squares += ms * ms;
      longestMs = Math.max(longestMs, ms);
      if (rows.length < exploring || seen.calls < callsPerSize) return;
      exploring = Math.min(rowsMax, exploring < 10 ? exploring + 1 : Math.ceil(exploring * 1.1));
    },
  };
}

function largestWithin(sizes: ReadonlyMap<number, Seen>, budgetMs: number): number {
  let largest = 1;
  for (const [size, { calls, sum, squares }] of sizes) {
    const mean = sum / calls;
    const deviation = Math.sqrt(Math.max(0, squares / calls - mean * mean));
    if (mean + deviations * deviation <= budgetMs) largest = Math.max(largest, size);
  }
  return largest;
}
