/**
 * The consumers of one model: one per class, open only while the model can run here. Each claims as much as its budget has
 * room for in one script, and sleeps once its queue is empty; jobs that come then are handed to it (`handover.lua`). What a
 * claim means is the owner's; it ends when the job's outcome is stored.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type InspectedQueue, inspectQueue } from '../../shared/jobs/inspect-queues.ts';
import { jobClasses } from '../../shared/jobs/job.ts';
import { queueName } from '../../shared/jobs/keys.ts';
import { markerOf } from '../../shared/jobs/queues.ts';
import { leaveQueue, putBack } from '../../shared/jobs/store/claims.ts';
import type { Claim, Claims, StartedClaim } from '../../shared/jobs/store/words.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import type { ClaimBudget } from './claim-budget.ts';
import type { HeldClaims } from './held-claims.ts';
import { QueueWait } from './queue-wait.ts';

/** Redis refused: the next try. */
const againMs = 250;
/** Something unforeseen went wrong with a job: it is claimed again after this. */
const faultMs = 5000;
/** Redis may be away when a consumer goes; what was handed to it waits again by itself then, after some seconds. */
const leaveMsMax = 1000;
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

/**
 * A short text is prepared in this turn of the loop and goes to its lane at the end of it. Waiting for the next job first
 * would be a write to Redis in between, 60 us of a lone job's time.
 */
async function untilUnderWay(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

type Begin = (claim: Claim, work: Promise<void>) => void;

export interface ConsumerOptions {
  readonly model: string;
  readonly redis: Redis;
  /** Names this worker in Redis. */
  readonly worker: string;
  readonly budget: ClaimBudget;
  readonly held: HeldClaims;
  readonly logger: Logger;
  /** Claims up to `max` jobs of a queue and begins each with `begin`. */
  readonly claim: (queue: string, max: number, begin: Begin) => Promise<Claims>;
  /** Begins what was handed over; gives back what can not run here now. */
  readonly take: (claims: readonly StartedClaim[], begin: Begin) => Promise<readonly StartedClaim[]>;
}

export class ClaimQueues {
  readonly #consumers: ClassConsumer[];

  constructor(options: ConsumerOptions) {
    this.#consumers = jobClasses.map((jobClass) => new ClassConsumer(queueName(options.model, jobClass), options));
  }

  /** No new claims; those under way go on. */
  pause(): void {
    for (const consumer of this.#consumers) consumer.pause();
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
  #isPaused = false;
  readonly #queue: string;
  readonly #options: ConsumerOptions;
  readonly #wait: QueueWait;
  readonly #loop: Promise<void>;
  readonly #stop = new AbortController();
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
    this.#wait = new QueueWait(options.redis, queue, options.worker);
    this.#loop = this.#work();
  }

  pause(): void {
    this.#isPaused = true;
    void this.#leave();
  }

  resume(): void {
    this.#isPaused = false;
    this.#noteChange();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#noteChange();
    await Promise.race([this.#leave(), sleep(leaveMsMax, undefined, { ref: false })]);
    this.#wait.close();
    await this.#loop;
    while (this.#claims > 0) await this.#untilChange();
    await this.#inspected?.close();
  }

  async #work(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const room = this.#options.budget.room({ claims: this.#claims, items: this.#items });
      if (this.#isPaused || room <= 0) {
        await this.#untilChange();
        continue;
      }
      try {
        const { handoverRoom, dueInMs } = await this.#options.claim(this.#queue, room, this.#begin);
        await this.#takeHandovers(handoverRoom, dueInMs === null ? null : performance.now() + dueInMs);
      } catch (error) {
        this.#options.logger.debug({ err: error, queue: this.#queue }, 'claiming failed');
        await sleep(againMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Until there may be something to claim: the room that was told of is used up, or something waits in the queue. */
  async #takeHandovers(room: number, dueMs: number | null): Promise<void> {
    for (let left = room; left > 0 && !this.#stop.signal.aborted; ) {
      const woken = await this.#wait.untilWoken(dueMs);
      if (woken?.kind !== 'handover') {
        // For another worker.
        if (woken && this.#isPaused) await this.#options.redis.zadd(markerOf(this.#queue), 0, '0');
        return;
      }
      left -= woken.claims.length;
      const isOpen = !this.#isPaused && !this.#stop.signal.aborted;
      const refused = isOpen ? await this.#options.take(woken.claims, this.#begin) : woken.claims;
      if (refused.length === 0) {
        await untilUnderWay();
        continue;
      }
      const { redis, worker } = this.#options;
      await putBack(
        redis,
        refused.map(({ ref: { id } }) => ({ queue: this.#queue, id, owner: worker })),
      );
      return;
    }
  }

  /** Jobs are no longer handed to it. */
  async #leave(): Promise<void> {
    const { redis, worker, logger } = this.#options;
    await leaveQueue(redis, this.#queue, worker).catch((error) =>
      logger.debug({ err: error, queue: this.#queue }, 'leaving failed'),
    );
  }

  readonly #begin = (claim: Claim, work: Promise<void>): void => {
    const items = itemsOf(claim);
    this.#claims++;
    this.#items += items;
    const ended = work.catch((error) => this.#postpone(claim.ref.id, error));
    void this.#options.held.hold(claim.ref.id, ended).finally(() => {
      this.#claims--;
      this.#items -= items;
      this.#noteChange();
    });
  };

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
