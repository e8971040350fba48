/**
 * The consumers of one model: a BullMQ worker per class, open only while the model can run here. A claim ends when the
 * job's outcome is stored. BullMQ keeps locks, stalled checks and order; what a claim means is the owner's.
 */
import { type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { jobClasses } from '../../shared/jobs/job.ts';
import { keys, queueName } from '../../shared/jobs/keys.ts';
import { type QueuedJob, workerTimings } from '../../shared/jobs/queues.ts';
import type { JobRef } from '../../shared/jobs/store/job-store.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import type { ClaimBudget } from './claim-budget.ts';

export class ClaimQueues {
  readonly #model: string;
  readonly #workers: Worker<QueuedJob>[];
  readonly #budget: ClaimBudget;
  readonly #timer: NodeJS.Timeout;

  constructor(
    model: string,
    connection: Redis,
    budget: ClaimBudget,
    logger: Logger,
    run: (ref: JobRef) => Promise<void>,
  ) {
    this.#model = model;
    this.#budget = budget;
    this.#workers = jobClasses.map((jobClass) => {
      const worker = new Worker<QueuedJob>(
        queueName(model, jobClass),
        async (job: Job<QueuedJob>) => {
          await run({ tenant: job.data.t, id: job.id as string });
        },
        {
          connection,
          prefix: keys.queuePrefix,
          concurrency: budget.claims,
          removeOnComplete: { count: 0 },
          removeOnFail: { count: 0 },
          skipVersionCheck: true,
          ...workerTimings,
        },
      );
      worker.on('error', (error) => logger.debug({ err: error, model, class: jobClass }, 'queue consumer error'));
      worker.on('stalled', (id) => logger.warn({ job: id, model }, 'job came back: the worker that held it is gone'));
      return worker;
    });
    // The cost of a job changes slowly; four times a second is often enough and costs nothing.
    this.#timer = setInterval(() => this.#adjust(), 250);
    this.#timer.unref();
  }

  /** No new claims; those under way go on. */
  async pause(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.pause(true)));
  }

  async resume(): Promise<void> {
    for (const worker of this.#workers) await worker.resume();
  }

  /** No new claims; resolves when those under way have ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  get name(): string {
    return this.#model;
  }

  #adjust(): void {
    const { claims } = this.#budget;
    for (const worker of this.#workers) if (worker.concurrency !== claims) worker.concurrency = claims;
  }
}
