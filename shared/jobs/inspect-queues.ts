/** Queues as one who looks sees them: nothing is written on opening, not even BullMQ's own settings of a queue. */
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { producerQueueOptions } from '../redis/connection.ts';
import { jobClasses } from './job.ts';
import { keys, queueName } from './keys.ts';

export type InspectedQueue = Queue;

/** On the caller's connection: a queue of its own each would be hundreds. */
export function inspectQueue(name: string, connection: Redis): InspectedQueue {
  const queue = new Queue(name, {
    connection,
    prefix: keys.queuePrefix,
    skipMetasUpdate: true,
    ...producerQueueOptions,
  });
  queue.on('error', () => {}); // The connection logs its own errors once.
  return queue;
}

/** Queues that there are: all classes of the models that a worker has, and whatever holds unfinished jobs. */
export async function listQueues(redis: Redis): Promise<string[]> {
  const [states, live] = await Promise.all([redis.hkeys(keys.modelStates), redis.hgetall(keys.live)]);
  const models = new Set(states.map((field) => field.slice(0, field.indexOf('/'))));
  const names = new Set([...models].flatMap((model) => jobClasses.map((jobClass) => queueName(model, jobClass))));
  for (const [field, count] of Object.entries(live)) {
    if (field.startsWith('q:') && Number(count) > 0) names.add(field.slice(2));
  }
  return [...names].sort();
}

export interface LiveCount {
  readonly name: string;
  readonly unfinished: number;
}

/** Unfinished jobs by tenant and by queue, most first: whose jobs flood the system. */
export async function readLiveCounts(redis: Redis): Promise<{ tenants: LiveCount[]; queues: LiveCount[] }> {
  const all = Object.entries(await redis.hgetall(keys.live))
    .map(([field, count]) => ({ kind: field.slice(0, 2), name: field.slice(2), unfinished: Number(count) }))
    .filter(({ unfinished }) => unfinished > 0)
    .sort((a, b) => b.unfinished - a.unfinished || (a.name < b.name ? -1 : 1));
  const of = (wanted: string) =>
    all.filter(({ kind }) => kind === wanted).map(({ name, unfinished }) => ({ name, unfinished }));
  return { tenants: of('t:'), queues: of('q:') };
}
