/**
 * Looks for jobs that are neither finished nor in BullMQ: nobody would ever run them. It should find none: admitting a job
 * and ending it are one script each. A hand in Redis makes one. Walks the keys slowly.
 */
import { keys, queueName } from '../../shared/jobs/keys.ts';
import { redisNowMs } from '../../shared/jobs/store/duties.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import { traceIdOf } from '../../shared/observability/trace-context.ts';
import type { DutyParts } from './duty-parts.ts';

/** Nobody misses a younger one yet. */
const ageMsMin = 60_000;
const scanCount = 500;
/** Per beat; the cursor goes on where it was. A million keys take a quarter of an hour. */
const scansMax = 100;

let cursor = '0';

export async function findLost(parts: DutyParts): Promise<number> {
  const { redis } = parts;
  const prefix = keys.job('', '').slice(0, -1); // "...job:" before "<tenant>:<id>"
  const beforeMs = (await redisNowMs(redis)) - ageMsMin;
  let lost = 0;
  for (let round = 0; round < scansMax; round++) {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', scanCount);
    for (const key of found) lost += Number(await revive(parts, toRef(key.slice(prefix.length)), beforeMs));
    cursor = next;
    if (cursor === '0') break;
  }
  return lost;
}

async function revive({ redis, store, queues, logger }: DutyParts, ref: JobRef, beforeMs: number): Promise<boolean> {
  const record = await store.read(ref);
  if (!record || record === 'gone' || record.finishedMs !== null || record.createdMs > beforeMs) return false;
  const { model, priority, traceparent } = record.request;
  const isQueued = await redis.exists(`${keys.queuePrefix}:${queueName(model, priority)}:${ref.id}`);
  if (isQueued === 1) return false;
  // It may have ended between the two looks: then the reference finds nothing, which is harmless.
  await queues.add(record.request);
  logger.warn({ job: ref.id, trace: traceIdOf(traceparent) }, 'a job was in no queue; it is again');
  return true;
}

function toRef(text: string): JobRef {
  const colon = text.indexOf(':');
  return { tenant: text.slice(0, colon), id: text.slice(colon + 1) };
}
