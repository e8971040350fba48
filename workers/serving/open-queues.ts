/** The queues of a model, opened: each claim gets a unit, and what no unit can run now waits or ends. */
import type { Redis } from 'ioredis';
import { mintedAtMs } from '../../shared/jobs/job-id.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { ClaimBudget } from '../claims/claim-budget.ts';
import { ClaimLater, ClaimQueues } from '../claims/claim-queues.ts';
import type { JobRunner } from '../running/job-runner.ts';
import type { ServedModel } from './served-model.ts';

/** A job whose version is not ready comes back after this long; one whose version nobody has for a minute ends. */
const versionAgainMs = 1000;
const versionAwayMsMax = 60_000;

export interface QueueParts {
  readonly redis: Redis;
  readonly lanes: number;
  readonly canaryMs: number;
  /** Rows that a lane writes at once, of a model that writes token by token. */
  readonly slots: () => number;
  readonly runner: JobRunner;
  readonly logger: Logger;
}

export function openQueues(
  model: ServedModel,
  { redis, lanes, canaryMs, slots, runner, logger }: QueueParts,
): ClaimQueues {
  const budget = new ClaimBudget(lanes, canaryMs, slots);
  const run = async (ref: JobRef, version: string | undefined) => {
    const unit = model.take(version);
    if (!unit) return await runner.refuse(ref, versionGone(model, ref, version ?? ''));
    const cost = await unit.run(() => runner.run(ref, unit.files));
    if (cost.laneMs > 0) budget.observe(cost);
  };
  return new ClaimQueues({ model: model.id, connection: redis, budget, logger, run });
}

/** Throws ClaimLater while the version may still come: it loads, or its files are on their way to this machine. */
function versionGone(model: ServedModel, ref: JobRef, version: string): Problem {
  const waitsMs = Date.now() - mintedAtMs(ref.id);
  if (model.holds(version) || waitsMs < versionAwayMsMax) throw new ClaimLater(versionAgainMs);
  return new Problem('unknown-model', `Version ${version} of ${model.id} is no longer served. Name another, or none.`);
}
