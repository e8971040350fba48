/**
 * How long a row of each class may take from its arrival here to its result. Not promises to callers: what the scheduler
 * orders by and measures itself against. Pure.
 */
import type { JobClass } from '../../shared/jobs/job.ts';
import type { WaitingRow } from './policy.ts';

/** Somebody waits; somebody may look; overnight; whenever. */
export const levelMs: Readonly<Record<JobClass, number>> = {
  high: 150,
  normal: 1000,
  low: 10_000,
  bulk: Number.POSITIVE_INFINITY,
};
/** A model whose lone call takes long is allowed so many of its calls: 150 ms for half a minute of speech means nothing. */
const ownCallsMin = 5;

/** Ms from arrival to result; `loneMs`: what a call of this row alone takes. */
export function allowedMs(row: WaitingRow, loneMs: number): number {
  return Math.max(levelMs[row.class], ownCallsMin * loneMs);
}
