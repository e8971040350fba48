/**
 * How long a row of each class may take from its arrival here to its result. Not promises to callers: what the scheduler
 * orders by and measures itself against. Pure.
 */
import type { JobClass } from '../../shared/jobs/job.ts';
import type { CostModel, WaitingRow } from './policy.ts';

/** Somebody waits; somebody may look; overnight; whenever. */
export const levelMs: Readonly<Record<JobClass, number>> = {
  high: 150,
  normal: 1000,
  low: 10_000,
  bulk: Number.POSITIVE_INFINITY,
};
/** A model whose lone call takes long is allowed so many of its calls: 150 ms for half a minute of speech means nothing. */
const ownCallsMin = 5;

/** Ms from arrival to result. */
export function allowedMs(cost: CostModel, row: WaitingRow): number {
  return Math.max(levelMs[row.class], ownCallsMin * cost.predictMs(row.model, 1, row.length));
}

/** The last moment at which a call of this row alone would still end in time; infinite for bulk rows without a deadline. */
export function latestStartMs(cost: CostModel, row: WaitingRow): number {
  const endMs = Math.min(row.deadlineMs, row.arrivedMs + allowedMs(cost, row));
  return endMs - cost.p99Factor(row.model) * cost.predictMs(row.model, 1, row.length);
}
