/**
 * How long a body may take: 30 s, and longer in proportion to what has come. A sender of 1 byte a second is cut off
 * after 30 s; one that keeps 256 KiB/s may send all day.
 */
import type { IncomingMessage } from 'node:http';
import { Problem } from '../../shared/problems/problem.ts';

export const bodySecondsMin = 30;
export const bodyBytesPerSecondMin = 256 * 1024;
const checkEveryMs = 1000;

/** Calls `onLate` once when the body falls behind. Returns what ends the watch. `received` tells bytes so far. */
export function watchBody(
  request: IncomingMessage,
  received: () => number,
  onLate: (problem: Problem) => void,
  secondsMin = bodySecondsMin,
): () => void {
  const startedMs = performance.now();
  const timer = setInterval(() => {
    const seconds = (performance.now() - startedMs) / 1000;
    if (seconds < secondsMin + received() / bodyBytesPerSecondMin) return;
    stop();
    onLate(new Problem('request-timeout', `The body did not arrive within ${Math.round(seconds)} s.`));
  }, checkEveryMs);
  const stop = () => clearInterval(timer);
  request.once('close', stop);
  return stop;
}
