/**
 * BentoML's dispatcher. A line t = a*n + b over the last 50 calls, refitted every 5 s, and the mean time from the oldest
 * row's arrival to its dispatch, `wait`. A batch is held back while one more row would pay by that account:
 * n * (age of the newest + 1 ms + a) <= 0.95 * wait. Rows that could not end within the longest latency are refused there;
 * here they run late, since every row must end. Sizes up to 100, latency up to 60 s by default.
 */
import type { EndedCall, SchedulingPolicy, WaitingRow } from '../../workers/scheduling/policy.ts';
import { firstOfClass } from './first-of-class.ts';

const callsKept = 50;
const refitMs = 5000;
const tickMs = 1;
const held = 0.95;

export function bentoml(rowsMax = 100, latencyMsMax = 60_000): SchedulingPolicy {
  let slopeMs = Math.min(2, latencyMsMax / 15);
  let waitMs = Math.min(1, latencyMsMax / 30);
  let refittedMs = 0;
  const calls: { rows: number; ms: number; waitMs: number }[] = [];
  return {
    choose({ nowMs, waiting }) {
      const rows = firstOfClass(waiting).slice(0, rowsMax);
      const newest = rows.at(-1);
      if (!newest || rows.length === rowsMax) return { rows };
      const isHeld = rows.length * (nowMs - newest.arrivedMs + tickMs + slopeMs) <= held * waitMs;
      return isHeld ? { rows: [], wakeMs: nowMs + tickMs } : { rows };
    },
    ended({ rows, startedMs, endedMs }: EndedCall<WaitingRow>) {
      const oldest = Math.min(...rows.map(({ arrivedMs }) => arrivedMs));
      calls.push({ rows: rows.length, ms: endedMs - startedMs, waitMs: startedMs - oldest });
      if (calls.length > callsKept) calls.shift();
      if (endedMs - refittedMs < refitMs) return;
      refittedMs = endedMs;
      slopeMs = slopeOf(calls) ?? slopeMs;
      waitMs = calls.reduce((sum, call) => sum + call.waitMs, 0) / calls.length;
    },
  };
}

/** Least squares; null when all calls had one size. */
function slopeOf(calls: readonly { rows: number; ms: number }[]): number | null {
  const meanRows = calls.reduce((sum, { rows }) => sum + rows, 0) / calls.length;
  const meanMs = calls.reduce((sum, { ms }) => sum + ms, 0) / calls.length;
  let above = 0;
  let below = 0;
  for (const { rows, ms } of calls) {
    above += (rows - meanRows) * (ms - meanMs);
    below += (rows - meanRows) ** 2;
  }
  return below > 0 ? Math.max(0, above / below) : null;
}
