/**
 * The consumers of one model: one per class, open only while the model can run here. Each claims as much as its budget has
 * room for in one script, and blocks on BullMQ's marker while its queue is empty. What a claim means is the owner's; it
 * ends when the job's outcome is stored.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type InspectedQueue, inspectQueue } from '../../shared/jobs/inspect-queues.ts';
import { jobClasses } from '../../shared/jobs/job.ts';
import { queueName } from '../../shared/jobs/keys.ts';
import { markerOf } from '../../shared/jobs/queues.ts';
import type { Claim, Claims } from '../../shared/jobs/store/words.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import type { ClaimBudget } from './claim-budget.ts';
import type { HeldClaims } from './held-claims.ts';

/** A consumer looks again after this long though nothing woke it: whoever took the marker may have died before it claimed. */
const blockSeconds = 5;
/** Redis refused: the next try. */
const againMs = 250;
/** Something unforeseen went wrong with a job: it is claimed again after this. */
const faultMs = 5000;
/** BullMQ's word for a job that was claimed without a lock. */
const noLock = '0';

/** That have no result yet; one for a claim that ends at once. */
export function itemsOf(claim: Claim): number {
  return claim.state === 'started' ? Math.max(1, claim.input.length - claim.finishedItems.size) : 1;
}

/** The job can not start now: it waits in its queue and is claimed again. */
export class ClaimLater extends Error {
  readonly afterMs: number;

  constructor(afterMs: number) {
    super(`to be claimed again after ${afterMs} ms`);
    this.afterMs = afterMs;
  }
}

export interface ConsumerOptions {
  readonly model: string;
  readonly redis: Redis;
  readonly budget: ClaimBudget;
  readonly held: HeldClaims;
  readonly logger: Logger;
  /** Claims up to `max` jobs of a queue and begins each with `begin`. */
  readonly claim: (queue: string, max: number, begin: (claim: Claim, work: Promise<void>) => void) => Promise<Claims>;
}

export class ClaimQueues {
  readonly #consumers: ClassConsumer[];

  constructor(options: ConsumerOptions) {
    this.#consumers = jobClasses.map((jobClass) => new ClassConsumer(queueName(options.model, jobClass), options));
  }

  /** No new claims; those under way go on. */
  pause(): void {
    for (const consumer of this.#consumers) consumer.isPaused = true;
  }

  resume(): void {
    for (const consumer of this.#consumers) consumer.resume();
  }

  /** No new claims; resolves when those under way have ended. */
  async close(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close()));
  }
}

class ClassConsumer {
  isPaused = false;
  readonly #queue: string;
  readonly #options: ConsumerOptions;
  /** Blocks while the queue is empty. */
  readonly #blocking: Redis;
  readonly #loop: Promise<void>;
  readonly #stop = new AbortController();
  /** Redis may be away when it closes: a command that waits for a connection is never answered then. */
  readonly #stopped = Promise.withResolvers<null>();
  /** Opened for the first job that is put off. */
  #inspected: InspectedQueue | null = null;
  #claims = 0;
  /** Of those claims. */
  #items = 0;
  /** Waits for room, to be resumed, or for its end. */
  #change: PromiseWithResolvers<void> | null = null;

  constructor(queue: string, options: ConsumerOptions) {
    this.#queue = queue;
    this.#options = options;
    options.held.watch(queue);
    this.#blocking = options.redis.duplicate();
    this.#blocking.on('error', () => {}); // The main connection logs for all.
    this.#loop = this.#work();
  }

  resume(): void {
    this.isPaused = false;
    this.#noteChange();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#stopped.resolve(null);
    this.#noteChange();
    this.#blocking.disconnect();
    await this.#loop;
    while (this.#claims > 0) await this.#untilChange();
    await this.#inspected?.close();
  }

  async #work(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const room = this.#options.budget.room({ claims: this.#claims, items: this.#items });
      if (this.isPaused || room <= 0) {
        await this.#untilChange();
        continue;
      }
      try {
        const { claims, dueInMs } = await this.#options.claim(this.#queue, room, (claim, work) =>
          this.#begin(claim, work),
        );
        if (claims.length === 0) await this.#untilWoken(dueInMs);
      } catch (error) {
        this.#options.logger.debug({ err: error, queue: this.#queue }, 'claiming failed');
        await sleep(againMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #untilWoken(dueInMs: number | null): Promise<void> {
    if (this.#stop.signal.aborted) return;
    // 1 ms at least: to Redis 0 is for ever.
    const seconds = Math.min(blockSeconds, Math.max(1, dueInMs ?? Number.POSITIVE_INFINITY) / 1000);
    // A connection that was cut without a word never answers.
    const watchdog = setTimeout(() => this.#blocking.disconnect(true), (seconds + blockSeconds) * 1000);
    try {
      const waking = this.#blocking.bzpopmin(markerOf(this.#queue), seconds);
      const woken = await Promise.race([waking, this.#stopped.promise]);
      if (woken && this.isPaused) await this.#options.redis.zadd(markerOf(this.#queue), 0, '0'); // For another worker.
    } finally {
      clearTimeout(watchdog);
    }
  }

  #begin(claim: Claim, work: Promise<void>): void {
    const items = itemsOf(claim);
    this.#claims++;
    this.#items += items;
    const ended = work.catch((error) => this.#postpone(claim.ref.id, error));
    void this.#options.held.hold(claim.ref.id, ended).finally(() => {
      this.#claims--;
      this.#items -= items;
      this.#noteChange();
    });
  }

  async #postpone(id: string, error: unknown): Promise<void> {
    const { logger, redis } = this.#options;
    const isForeseen = error instanceof ClaimLater;
    if (!isForeseen) logger.error({ err: error, job: id, againMs: faultMs }, 'claim failed; it is claimed again');
    const dueMs = Date.now() + (isForeseen ? error.afterMs : faultMs);
    this.#inspected ??= inspectQueue(this.#queue, redis);
    try {
      await (await this.#inspected.getJob(id))?.moveToDelayed(dueMs, noLock);
    } catch (reason) {
      logger.warn({ err: reason, job: id }, 'claim could not be put off; it comes back by itself');
    }
  }

  async #untilChange(): Promise<void> {
    this.#change ??= Promise.withResolvers();
    await this.#change.promise;
  }

  #noteChange(): void {
    this.#change?.resolve();
    this.#change = null;
  }
}
