/**
 * The consumers of one model: a BullMQ worker per class, open only while the model can run here. A claim ends when the
 * job's outcome is stored. BullMQ keeps locks, stalled checks and order; what a claim means is the owner's.
 */
import { DelayedError, type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type JobClass, jobClasses } from '../../shared/jobs/job.ts';
import { keys, queueName } from '../../shared/jobs/keys.ts';
import { type QueuedJob, workerTimings } from '../../shared/jobs/queues.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { Problem } from '../../shared/problems/problem.ts';
import type { ClaimBudget } from './claim-budget.ts';

/**
 * A BullMQ worker fetches up to its whole concurrency, one durable round trip after the other, before it starts the first
 * job: 256 claims held a burst back for 0.2 to 0.7 s. So the concurrency grows with what has started. Not less than this:
 * jobs that are fetched together are started and finished together, and with 8 the path cost 1.9 times the CPU.
 */
const claimsAhead = 96;
/** A record that this release can not read waits for one that can, after an upgrade or a roll-back. */
const unsupportedMs = 30_000;

/** The job can not start now: it waits in its queue and is claimed again. */
export class ClaimLater extends Error {
  readonly afterMs: number;

  constructor(afterMs: number) {
    super(`to be claimed again after ${afterMs} ms`);
    this.afterMs = afterMs;
  }
}

export class ClaimQueues {
  readonly #consumers: ClassConsumer[];

  constructor(options: Omit<ConsumerOptions, 'jobClass'>) {
    this.#consumers = jobClasses.map((jobClass) => new ClassConsumer({ ...options, jobClass }));
  }

  /** No new claims; those under way go on. */
  async pause(): Promise<void> {
    await Promise.all(this.#consumers.map(({ worker }) => worker.pause(true)));
  }

  resume(): void {
    for (const { worker } of this.#consumers) void worker.resume();
  }

  /** No new claims; resolves when those under way have ended. */
  async close(): Promise<void> {
    await Promise.all(this.#consumers.map(({ worker }) => worker.close()));
  }
}

interface ConsumerOptions {
  readonly model: string;
  readonly jobClass: JobClass;
  readonly connection: Redis;
  readonly budget: ClaimBudget;
  readonly logger: Logger;
  /** Resolves when the job's outcome is stored; throws ClaimLater when it can not start now. */
  readonly run: (ref: JobRef, version: string | undefined) => Promise<void>;
}

class ClassConsumer {
  readonly worker: Worker<QueuedJob>;
  readonly #options: ConsumerOptions;
  #running = 0;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    const { model, jobClass, connection, logger } = options;
    this.worker = new Worker<QueuedJob>(queueName(model, jobClass), (job, token) => this.#process(job, token), {
      connection,
      prefix: keys.queuePrefix,
      concurrency: Math.min(options.budget.claims, claimsAhead),
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      skipVersionCheck: true,
      ...workerTimings,
    });
    this.worker.on('error', (error) => logger.debug({ err: error, model, class: jobClass }, 'queue consumer error'));
    this.worker.on('stalled', (id) =>
      logger.warn({ job: id, model }, 'job came back: the worker that held it is gone'),
    );
  }

  async #process(job: Job<QueuedJob>, token: string | undefined): Promise<void> {
    this.#running++;
    this.#adjust();
    try {
      await this.#options.run({ tenant: job.data.t, id: job.id as string }, job.data.v);
    } catch (error) {
      await job.moveToDelayed(Date.now() + this.#pauseAfter(job.id, error), token);
      throw new DelayedError();
    } finally {
      this.#running--;
      this.#adjust();
    }
  }

  /** Ms until the job is claimed again; throws what is no reason to wait. */
  #pauseAfter(job: string | undefined, error: unknown): number {
    if (error instanceof ClaimLater) return error.afterMs;
    if (!(error instanceof Problem && error.slug === 'unsupported-record')) throw error;
    this.#options.logger.error({ job, reason: error.detail, againMs: unsupportedMs }, 'job left to another release');
    return unsupportedMs;
  }

  #adjust(): void {
    const wanted = Math.min(this.#options.budget.claims, 2 * this.#running + claimsAhead);
    if (this.worker.concurrency !== wanted) this.worker.concurrency = wanted;
  }
}
