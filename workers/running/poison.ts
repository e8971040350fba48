/** When an item, or a whole job, has taken down too much to be tried again. Pure. */
import { Problem } from '../../shared/problems/problem.ts';
import type { RunningJob } from './running-job.ts';

/** Set aside after exactly this many starts: the first may be a batch-mate's fault, the other three were alone. */
export const deathsMax = 4;
/**
 * The same for a job of several items that takes whole workers down, where nobody knows the item: each such death is a
 * start more, so that crashes of lanes, which are counted by item, do not set the other items aside.
 */
const workerDeathsMax = 8;

export function isPoison({ request, claim }: RunningJob): boolean {
  if (request.items === 1) return claim.crashes >= deathsMax;
  return claim.crashes >= workerDeathsMax && claim.attempts > workerDeathsMax;
}

export function poison(): Problem {
  return new Problem(
    'poison-job',
    `The item stopped the inference process ${deathsMax} times, the last ones alone. It was set aside.`,
  );
}
