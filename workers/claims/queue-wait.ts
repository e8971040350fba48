/**
 * How a consumer sleeps while its queue is empty: on a connection of its own, blocked on BullMQ's marker and on the jobs
 * that are handed to it. What wakes it is said; what comes of it is the consumer's.
 */
import type { Redis } from 'ioredis';
import { keys } from '../../shared/jobs/keys.ts';
import { markerOf } from '../../shared/jobs/queues.ts';
import { readHandover } from '../../shared/jobs/store/claims.ts';
import type { StartedClaim } from '../../shared/jobs/store/words.ts';
import { untilAnswered } from '../../shared/redis/until-answered.ts';

/** A consumer looks again after this long though nothing woke it: whoever took the marker may have died before it claimed. */
const blockSeconds = 5;

/** `marker`: something waits in the queue. Null: look all the same. */
export type Waking =
  | { readonly kind: 'marker' }
  | { readonly kind: 'handover'; readonly claims: StartedClaim[] }
  | null;

export class QueueWait {
  readonly #marker: string;
  readonly #handover: string;
  readonly #blocking: Redis;
  /** Redis may be away when it closes: a command that waits for a connection is never answered then. */
  readonly #closed = Promise.withResolvers<null>();

  constructor(redis: Redis, queue: string, worker: string) {
    this.#marker = markerOf(queue);
    this.#handover = keys.handover(queue, worker);
    this.#blocking = redis.duplicate();
    this.#blocking.on('error', () => {}); // The main connection logs for all.
  }

  /** Until something comes, or the time of `performance.now()` is reached at which a delayed job is due. */
  async untilWoken(dueMs: number | null): Promise<Waking> {
    // 1 ms at least: to Redis 0 is for ever.
    const leftMs = dueMs === null ? Number.POSITIVE_INFINITY : dueMs - performance.now();
    const seconds = Math.min(blockSeconds, Math.max(1, leftMs) / 1000);
    const waking = this.#blocking.bzpopmin(this.#handover, this.#marker, seconds);
    const woken = await untilAnswered(this.#blocking, seconds * 1000, Promise.race([waking, this.#closed.promise]));
    if (!woken) return null;
    const [key, message] = woken;
    return key === this.#marker ? { kind: 'marker' } : { kind: 'handover', claims: readHandover(message) };
  }

  close(): void {
    this.#closed.resolve(null);
    this.#blocking.disconnect();
  }
}
