/**
 * What must happen though nobody asks: the lists that the sweeper walks. Reads and trims only; deciding is the
 * caller's.
 */
import type { Redis } from 'ioredis';
import { keys } from '../keys.ts';
import type { JobRef } from './words.ts';

const trimmedAtOnceMax = 500;

function toRef(member: string): JobRef {
  const slash = member.indexOf('/');
  return { tenant: member.slice(0, slash), id: member.slice(slash + 1) };
}

/** Redis' own clock, ms: the one that stamps records. */
export async function redisNowMs(redis: Redis): Promise<number> {
  const [seconds, micros] = (await redis.time()) as [number | string, number | string];
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

/** Jobs whose start-by has passed. */
export async function listUnstarted(redis: Redis, nowMs: number, limit: number): Promise<JobRef[]> {
  return (await redis.zrangebyscore(keys.startBy, '-inf', nowMs, 'LIMIT', 0, limit)).map(toRef);
}

/** Takes a job off the start-by list: it started or ended. */
export async function forgetStartBy(redis: Redis, { tenant, id }: JobRef): Promise<void> {
  await redis.zrem(keys.startBy, `${tenant}/${id}`);
}

/** Jobs whose blobs are due for deletion. */
export async function listDueBlobs(redis: Redis, nowMs: number, limit: number): Promise<JobRef[]> {
  return (await redis.zrangebyscore(keys.blobs, '-inf', nowMs, 'LIMIT', 0, limit)).map(toRef);
}

export async function forgetBlobs(redis: Redis, { tenant, id }: JobRef): Promise<void> {
  await redis.zrem(keys.blobs, `${tenant}/${id}`);
}

/** Jobs that were set aside, newest first, with the time of it. */
export async function readDeadLetters(
  redis: Redis,
  skip: number,
  limit: number,
): Promise<{ ref: JobRef; atMs: number }[]> {
  const members = await redis.zrevrange(keys.dead, skip, skip + limit - 1);
  if (members.length === 0) return [];
  const scores = await redis.zmscore(keys.dead, ...members);
  return members.map((member, at) => ({ ref: toRef(member), atMs: Number(scores[at] ?? 0) }));
}

/**
 * What `finish.lua` kept of an outcome and its blobs beyond the retention, for a reader of its own: it has read them, and
 * now the retention counts.
 */
export async function startRetention(redis: Redis, { tenant, id }: JobRef, seconds: number): Promise<void> {
  const dueMs = (await redisNowMs(redis)) + seconds * 1000;
  await redis
    .multi()
    .expire(keys.finished(tenant, id), seconds)
    .zadd(keys.blobs, 'XX', 'LT', dueMs, `${tenant}/${id}`)
    .exec();
}

/** Drops tombstones of jobs created before `beforeMs` from every tenant's index; what still has a record stays listed. */
export async function trimIndexes(redis: Redis, beforeMs: number): Promise<number> {
  let removed = 0;
  for (const tenant of await redis.smembers(keys.tenants)) removed += await trimIndex(redis, tenant, beforeMs);
  return removed;
}

async function trimIndex(redis: Redis, tenant: string, beforeMs: number): Promise<number> {
  const index = keys.index(tenant);
  for (let kept = 0, removed = 0; ; ) {
    const ids = await redis.zrangebyscore(index, '-inf', beforeMs, 'LIMIT', kept, trimmedAtOnceMax);
    const records = await Promise.all(ids.map((id) => redis.exists(keys.job(tenant, id), keys.finished(tenant, id))));
    const over = ids.filter((_, at) => records[at] === 0);
    if (over.length > 0) removed += await redis.zrem(index, ...over);
    kept += ids.length - over.length;
    if (ids.length < trimmedAtOnceMax) return removed;
  }
}

/** Takes or renews the lease of a duty for `ms`; false when another process holds it. */
export async function holdLease(redis: Redis, duty: string, holder: string, ms: number): Promise<boolean> {
  const key = keys.lease(duty);
  if ((await redis.set(key, holder, 'PX', ms, 'NX')) === 'OK') return true;
  if ((await redis.get(key)) !== holder) return false;
  await redis.pexpire(key, ms);
  return true;
}

/** Gives a lease back, if it is still the holder's. */
export async function dropLease(redis: Redis, duty: string, holder: string): Promise<void> {
  const key = keys.lease(duty);
  if ((await redis.get(key)) === holder) await redis.del(key);
}
