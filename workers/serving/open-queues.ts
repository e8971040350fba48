/** The queues of a model, opened: each claim gets a unit, and what no unit can run now waits or ends. */
import type { Redis } from 'ioredis';
import { mintedAtMs } from '../../shared/jobs/job-id.ts';
import { claimJobs } from '../../shared/jobs/store/claims.ts';
import type { Claim, JobRef, StartedClaim } from '../../shared/jobs/store/words.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { ClaimBudget } from '../claims/claim-budget.ts';
import { ClaimLater, ClaimQueues, itemsOf } from '../claims/claim-queues.ts';
import type { HeldClaims } from '../claims/held-claims.ts';
import type { JobRunner } from '../running/job-runner.ts';
import type { ServedModel } from './served-model.ts';
import type { ServedUnit } from './served-unit.ts';

/** A job whose version is not ready comes back after this long; one whose version nobody has for a minute ends. */
const versionAgainMs = 1000;
const versionAwayMsMax = 60_000;
/** A record that this release can not read waits for one that can, after an upgrade or a roll-back. */
const unsupportedMs = 30_000;

export interface QueueParts {
  readonly redis: Redis;
  /** Names this worker in Redis. */
  readonly worker: string;
  readonly held: HeldClaims;
  readonly lanes: number;
  readonly canaryMs: number;
  /** Rows that a lane writes at once, of a model that writes token by token. */
  readonly slots: () => number;
  readonly runner: JobRunner;
  readonly logger: Logger;
}

export function openQueues(model: ServedModel, parts: QueueParts): ClaimQueues {
  const { redis, worker, held, runner, logger } = parts;
  const budget = new ClaimBudget(parts.lanes, parts.canaryMs, parts.slots);

  const handle = async (claim: Claim, units: readonly ServedUnit[]) => {
    if (claim.state === 'started') {
      const unit = units.find(({ files }) => files.version === claim.version) as ServedUnit;
      const cost = await unit.run(() => runner.run(claim, unit.files));
      if (cost.laneMs > 0) budget.observe(cost, itemsOf(claim));
    } else if (claim.state === 'expired') await runner.expire(claim);
    else if (claim.state === 'unready') await runner.refuse(claim.ref, versionGone(model, claim.ref, claim.version));
    else {
      logger.error({ job: claim.ref.id, againMs: unsupportedMs }, 'job left to another release');
      throw new ClaimLater(unsupportedMs);
    }
  };

  return new ClaimQueues({
    model: model.id,
    redis,
    worker,
    budget,
    held,
    logger,
    claim: (queue, max, begin) =>
      model.offer(async (units) => {
        const versions = units.map(({ files }) => files.version);
        const claims = await claimJobs(redis, { queue, worker, max, versions, takesHandovers: true });
        for (const claim of claims.claims) begin(claim, handle(claim, units));
        return claims;
      }),
    take: (claims, begin) =>
      model.offer(async (units) => {
        const isServed = (claim: StartedClaim) => isPinnedRight(claim, units);
        for (const claim of claims) if (isServed(claim)) begin(claim, handle(claim, units));
        return claims.filter((claim) => !isServed(claim));
      }),
  });
}

/** Versions may have come and gone since the consumer told which it has: a job without a wish gets today's default. */
function isPinnedRight({ request, version }: StartedClaim, units: readonly ServedUnit[]): boolean {
  const fit = request.modelVersion === undefined ? units.slice(0, 1) : units;
  return fit.some(({ files }) => files.version === version);
}

/** Throws ClaimLater while the version may still come: it loads, or its files are on their way to this machine. */
function versionGone(model: ServedModel, ref: JobRef, version: string): Problem {
  const waitsMs = Date.now() - mintedAtMs(ref.id);
  if (model.holds(version) || waitsMs < versionAwayMsMax) throw new ClaimLater(versionAgainMs);
  return new Problem('unknown-model', `Version ${version} of ${model.id} is no longer served. Name another, or none.`);
}
