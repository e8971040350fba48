/**
 * BullMQ queues: one per model and class, named and configured in one place. A queue carries only references; what a
 * caller sees is in the store. One door to BullMQ for producers.
 */
import { Queue, type QueueOptions, type WorkerOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { producerQueueOptions } from '../redis/connection.ts';
import { GroupCommit } from '../redis/group-commit.ts';
import type { JobClass, JobRequest } from './job.ts';
import { mintedAtMs } from './job-id.ts';
import { keys, queueName } from './keys.ts';
import type { JobRef } from './store/words.ts';

/** The whole payload of a BullMQ job; its id is the job's. */
export interface QueuedJob {
  /** tenant */
  readonly t: string;
  /** Version of the model that it wishes; absent for whichever serves when it is claimed. */
  readonly v?: string;
}

/** A job as it is enqueued: its request, or what of it counts. */
export type QueueEntry = JobRef & Pick<JobRequest, 'modelVersion'>;

/**
 * BullMQ's record goes at once when it completes or fails: the outcome is ours (about 5 KB saved per job).
 * One attempt: retries within a job are the worker's (bisection, suspects), and a stall does not count as one.
 */
const jobOptions = { removeOnComplete: true, removeOnFail: true, attempts: 1, priority: 1 } as const;

/** A few events only: nothing of ours listens to BullMQ's event stream (10,000 kept is its default). */
const queueOptions: Omit<QueueOptions, 'connection'> = {
  prefix: keys.queuePrefix,
  streams: { events: { maxLen: 10 } },
  defaultJobOptions: jobOptions,
  ...producerQueueOptions,
};

/**
 * Lock 10 s, looked at every 2.5 s: a killed worker's jobs run elsewhere within 15 s (BullMQ's defaults took 60.8 s).
 * Stalls never fail a job (the default fails it after the second): the poison counter decides that.
 */
export const workerTimings = {
  lockDuration: 10_000,
  stalledInterval: 2500,
  maxStalledCount: 1_000_000,
} as const satisfies Partial<WorkerOptions>;

export interface QueueDepth {
  readonly waiting: number;
  readonly oldestMs: number;
  readonly oldestClaimedMs: number;
}

/** Producer side of all queues; opens each on first use, over one shared connection. */
export class JobQueues {
  readonly #connection: Redis;
  readonly #queues = new Map<string, Queue<QueuedJob>>();
  readonly #additions = new Map<string, GroupCommit<QueueEntry, void>>();

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

  /** Enqueues a reference, together with those that arrive meanwhile. The same id again is a no-op while BullMQ has it. */
  async add(model: string, jobClass: JobClass, entry: QueueEntry): Promise<void> {
    const name = queueName(model, jobClass);
    let group = this.#additions.get(name);
    if (!group) {
      const queue = this.get(model, jobClass);
      group = new GroupCommit<QueueEntry, void>(async (entries) => {
        // Not atomic, and need not be: what is recorded but not enqueued is the reconciler's.
        await queue.addBulk(
          entries.map(({ tenant, id, modelVersion: v }) => ({
            name: 'run',
            data: { t: tenant, ...(v && { v }) },
            opts: { jobId: id },
          })),
        );
        return [];
      });
      this.#additions.set(name, group);
    }
    await group.add(entry);
  }

  /** Takes a reference out again while it waits: its job ended before it started. A claimed one stays claimed. */
  async remove(model: string, jobClass: JobClass, { id }: JobRef): Promise<void> {
    await this.get(model, jobClass).remove(id);
  }

  /** Waiting jobs, and the age in ms of the oldest that waits and of the oldest that is claimed (0 when there is none). */
  async depth(model: string, jobClass: JobClass): Promise<QueueDepth> {
    const name = queueName(model, jobClass);
    const base = `${keys.queuePrefix}:${name}`;
    const [prioritized, oldest, waiting, claimed] = await Promise.all([
      this.#connection.zcard(`${base}:prioritized`),
      this.#connection.zrange(`${base}:prioritized`, '0', '0'),
      this.#connection.llen(`${base}:wait`),
      this.#connection.lindex(`${base}:active`, -1),
    ]);
    return { waiting: prioritized + waiting, oldestMs: ageMs(oldest[0]), oldestClaimedMs: ageMs(claimed) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    this.#queues.clear();
  }
}

function ageMs(id: string | null | undefined): number {
  return id?.startsWith('job_') ? Math.max(0, Date.now() - mintedAtMs(id)) : 0;
}
