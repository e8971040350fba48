/**
 * BullMQ queues: one per model and class, named and configured in one place. A queue carries only references; what a
 * caller sees is in the store, whose scripts add, claim and drop them (`store/scripts/queues.lua`). The door to BullMQ for
 * all the rest: looking, counting, delaying, and adding what was lost.
 */
import { Queue, type QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { producerQueueOptions } from '../redis/connection.ts';
import type { JobClass, JobRequest } from './job.ts';
import { mintedAtMs } from './job-id.ts';
import { keys, queueName } from './keys.ts';
import { type QueuedJob, referenceTo } from './queued-job.ts';

/**
 * A few events only: nothing of ours listens to BullMQ's event stream (10,000 kept is its default). A job without a priority
 * would go ahead of all that have one.
 */
const queueOptions: Omit<QueueOptions, 'connection'> = {
  prefix: keys.queuePrefix,
  streams: { events: { maxLen: 10 } },
  defaultJobOptions: { priority: 1 },
  ...producerQueueOptions,
};

/** What a consumer blocks on while the queue is empty. */
export function markerOf(queue: string): string {
  return `${keys.queuePrefix}:${queue}:marker`;
}

export interface QueueDepth {
  readonly waiting: number;
  readonly oldestMs: number;
  readonly oldestClaimedMs: number;
}

/** Producer side of all queues; opens each on first use, over one shared connection. */
export class JobQueues {
  readonly #connection: Redis;
  readonly #queues = new Map<string, Queue<QueuedJob>>();

  constructor(connection: Redis) {
    this.#connection = connection;
  }

  get(model: string, jobClass: JobClass): Queue<QueuedJob> {
    const name = queueName(model, jobClass);
    let queue = this.#queues.get(name);
    if (!queue) {
      queue = new Queue<QueuedJob>(name, { ...queueOptions, connection: this.#connection });
      queue.on('error', () => {}); // The connection logs its own errors once.
      this.#queues.set(name, queue);
    }
    return queue;
  }

  /** Lets a job wait that is in no queue, behind the others. The same id again is a no-op while BullMQ has it. */
  async add(request: JobRequest): Promise<void> {
    await this.get(request.model, request.priority).add('run', referenceTo(request), { jobId: request.id });
  }

  /** Waiting jobs, and the age in ms of the oldest that waits and of the oldest that is claimed (0 when there is none). */
  async depth(model: string, jobClass: JobClass): Promise<QueueDepth> {
    const name = queueName(model, jobClass);
    const base = `${keys.queuePrefix}:${name}`;
    const [prioritized, oldest, again, oldestAgain, claimed] = await Promise.all([
      this.#connection.zcard(`${base}:prioritized`),
      this.#connection.zrange(`${base}:prioritized`, '0', '0'),
      this.#connection.llen(`${base}:wait`),
      this.#connection.lindex(`${base}:wait`, -1),
      this.#connection.lindex(`${base}:active`, -1),
    ]);
    const oldestMs = Math.max(ageMs(oldest[0]), ageMs(oldestAgain));
    return { waiting: prioritized + again, oldestMs, oldestClaimedMs: ageMs(claimed) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    this.#queues.clear();
  }
}

function ageMs(id: string | null | undefined): number {
  return id?.startsWith('job_') ? Math.max(0, Date.now() - mintedAtMs(id)) : 0;
}
