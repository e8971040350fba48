/** Claims this very job, whatever waits before it or holds it, as a worker that has one version of its model. */
import type { Redis } from 'ioredis';
import { keys } from '../jobs/keys.ts';
import { claimJobs } from '../jobs/store/claims.ts';
import type { Claim, JobRef, StartedClaim } from '../jobs/store/words.ts';

/** One at a time: between the two steps of one, another would take its job. */
let turn: Promise<unknown> = Promise.resolve();

/** Null when the job is gone. */
export async function claimJob(redis: Redis, ref: JobRef, version = '1'): Promise<Claim | null> {
  const claiming = turn.then(() => claimNow(redis, ref, version));
  turn = claiming.catch(() => {});
  return await claiming;
}

async function claimNow(redis: Redis, { tenant, id }: JobRef, version: string): Promise<Claim | null> {
  const queue = await redis.hget(keys.job(tenant, id), 'q');
  if (queue === null) return null;
  const base = `${keys.queuePrefix}:${queue}`;
  await redis
    .multi()
    .lrem(`${base}:active`, 0, id)
    .zrem(`${base}:prioritized`, id)
    .lrem(`${base}:wait`, 0, id)
    .rpush(`${base}:wait`, id)
    .hsetnx(`${base}:${id}`, 'data', JSON.stringify({ t: tenant }))
    .exec();
  const { claims } = await claimJobs(redis, { queue, worker: 'test', max: 1, versions: [version] });
  return claims[0] ?? null;
}

/** As `claimJob`, of a job that can start. */
export async function startJob(redis: Redis, ref: JobRef, version?: string): Promise<StartedClaim> {
  const claim = await claimJob(redis, ref, version);
  if (claim?.state !== 'started') throw new Error(`${ref.id} is ${claim?.state ?? 'gone'}`);
  return claim;
}
