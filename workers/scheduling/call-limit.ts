/**
 * How long a call may be. A running call can not be interrupted, so the length of the others' calls is what a row of the
 * highest class may have to wait: its quantum. Found by itself: additive growth while that class keeps its level,
 * multiplicative cuts when it does not. Only calls of several rows obey; a row alone takes what it takes.
 */
import type { JobClass } from '../../shared/jobs/job.ts';

/** No call of several rows is longer, whoever waits: heartbeats, cancellation and fairness live between calls. */
const callMsMax = 100;
/** Of the highest class itself, whose next row waits for its own class's calls too. What it is worth: decision 17. */
const highMsMax = 40;
/**
 * Of a row's own call: that much longer a call of several rows may be whatever the limit says. On a device so busy that a
 * row alone passed the limit, nothing was joined any more, and the queue grew three times as fast.
 */
const loneCallsMax = 1.5;
const quantumMsMin = 5;
const quantumMsFirst = 25;
/** Of the level: at more than this the quantum is cut. */
const strained = 0.8;
const cut = 0.7;
/** Results of the highest class that are looked at together; a 99th percentile of fewer means little. */
const samples = 100;
const growthMs = 1;
/** Without a row of the highest class for this long, nobody is there to be kept waiting. */
const quietMs = 30_000;

export class CallLimit {
  #quantumMs = quantumMsFirst;
  #lastHighMs = Number.NEGATIVE_INFINITY;
  #ratios: number[] = [];

  /** Of rows of this class, now. */
  limitMs(jobClass: JobClass, nowMs: number): number {
    const isHeeded = jobClass !== 'high' && nowMs - this.#lastHighMs < quietMs;
    return isHeeded ? this.#quantumMs : callMsMax;
  }

  /** The same as what a call may be expected to take. Who is heeded is promised a quantum in 99 of 100 calls. */
  expectedMsMax(jobClass: JobClass, loneMs: number, p99Factor: number, nowMs: number): number {
    return Math.max(this.#joinedMsMax(jobClass, p99Factor, nowMs), loneCallsMax * loneMs);
  }

  /** A row of the highest class got its result; `ratio` is the time it took over the time it may take. */
  observe(ratio: number, nowMs: number): void {
    this.#lastHighMs = nowMs;
    this.#ratios.push(ratio);
    if (this.#ratios.length < samples) return;
    const worst = this.#ratios.toSorted((a, b) => b - a)[Math.floor(samples / 100)] as number;
    const next = worst > strained ? this.#quantumMs * cut : this.#quantumMs + growthMs;
    this.#quantumMs = Math.min(callMsMax, Math.max(quantumMsMin, next));
    this.#ratios = [];
  }

  /** A row of the highest class waits: it counts before its result is there. */
  sawHigh(nowMs: number): void {
    this.#lastHighMs = nowMs;
  }

  #joinedMsMax(jobClass: JobClass, p99Factor: number, nowMs: number): number {
    if (jobClass === 'high') return highMsMax;
    const limitMs = this.limitMs(jobClass, nowMs);
    return limitMs < callMsMax ? limitMs / p99Factor : limitMs;
  }
}
