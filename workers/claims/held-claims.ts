/**
 * What this worker has claimed, held against what Redis says that it has: a claim whose reply was lost with a connection,
 * or that ended in an unforeseen way, would wait for ever. Also finds the claims of workers that are gone, in the queues
 * that this one has opened. Who is gone is the reaper's to say (`reap-dead-workers.ts`).
 */
import type { Redis } from 'ioredis';
import { listStrays } from '../../shared/jobs/store/claims.ts';
import type { Stray } from '../../shared/jobs/store/words.ts';

export class HeldClaims {
  readonly #redis: Redis;
  readonly #worker: string;
  readonly #ids = new Set<string>();
  /** Also those that were closed: a claim may have been lost in them. As many as models that were served here. */
  readonly #queues = new Set<string>();
  /** As found by the last look: a reply may have been on its way then, and suspects not counted yet. */
  #before: ReadonlySet<string> = new Set();

  constructor(redis: Redis, worker: string) {
    this.#redis = redis;
    this.#worker = worker;
  }

  watch(queue: string): void {
    this.#queues.add(queue);
  }

  /** Until the work on it has ended. */
  async hold(id: string, work: Promise<void>): Promise<void> {
    this.#ids.add(id);
    try {
      await work;
    } finally {
      this.#ids.delete(id);
    }
  }

  /** Claims of workers without a sign of life, and those of this one that it does not hold, once found by two looks. */
  async findStrays(): Promise<Stray[]> {
    const found = await listStrays(this.#redis, this.#worker, [...this.#queues]);
    const strays = found.filter(({ id, owner }) => owner !== this.#worker || !this.#ids.has(id));
    const before = this.#before;
    this.#before = new Set(strays.map(({ id }) => id));
    return strays.filter(({ id }) => before.has(id));
  }
}
