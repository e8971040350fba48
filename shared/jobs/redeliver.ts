/**
 * Sends a webhook event again because somebody asked: through the outbox, as the first time, so that it is rendered,
 * pinned, signed, retried and recorded by the same code. And turns on again a URL that had answered 410.
 */
import type { Redis } from 'ioredis';
import { deliveryJobId, pinnedField, readDeliveries, webhookQueueName } from './deliveries.ts';
import { keys } from './keys.ts';
import type { JobStore } from './store/job-store.ts';
import type { JobRef } from './store/words.ts';

/**
 * `under-way`: attempts go on, nothing was changed. `gone`: the job's outcome is no longer there to be told of.
 * `unknown`: the job has no such event, or its webhook does not want it. `disabled`: the URL answered 410.
 */
export type Redelivery = 'queued' | 'under-way' | 'gone' | 'unknown' | 'disabled';

export async function redeliverEvent(redis: Redis, store: JobStore, ref: JobRef, seq: number): Promise<Redelivery> {
  const { tenant, id } = ref;
  const record = await store.readOutline(ref);
  if (record === null || record === 'gone') return 'gone';
  const event = record.events.find((known) => known.seq === seq);
  const { webhook } = record.request;
  const isWanted = event && (webhook?.events as readonly string[] | undefined)?.includes(event.name);
  if (!event || !webhook || !isWanted) return 'unknown';
  if ((await redis.sismember(keys.disabledHooks(tenant), webhook.url)) === 1) return 'disabled';
  const queue = `${keys.queuePrefix}:${webhookQueueName}`;
  const member = deliveryJobId(id, seq);
  const [isPinned, isQueued, failedAt] = await Promise.all([
    redis.hexists(keys.deliveries(tenant, id), pinnedField(seq)),
    redis.exists(`${queue}:${member}`),
    redis.zscore(`${queue}:failed`, member),
  ]);
  if (isPinned === 1 || (isQueued === 1 && failedAt === null)) return 'under-way';
  const made = (await readDeliveries(redis, ref)).filter((attempt) => attempt.seq === seq);
  const attempts = Math.max(0, ...made.map(({ attempt }) => attempt));
  // In one step: BullMQ takes no second job of this id, and a dead letter that is neither here nor there would be lost.
  await redis
    .multi()
    .zrem(`${queue}:failed`, member)
    .del(`${queue}:${member}`)
    .xadd(keys.outbox, '*', 't', tenant, 'i', id, 'n', seq, 's', event.name, 'a', attempts)
    .exec();
  return 'queued';
}

/** URLs of a tenant that get nothing, since they answered 410. 10,000 at most. */
export async function listDisabledHooks(redis: Redis, tenant: string): Promise<string[]> {
  return (await redis.smembers(keys.disabledHooks(tenant))).sort();
}

/** False when it was not off. What it missed is not sent by itself. */
export async function enableHook(redis: Redis, tenant: string, url: string): Promise<boolean> {
  return (await redis.srem(keys.disabledHooks(tenant), url)) === 1;
}
