/**
 * Who is on board of each engine call, noted in Redis while it runs: if this whole process dies, they are the suspects
 * (`reap-dead-workers.ts`). Never waited for. On durable Redis each note is an fsync, so short calls are not noted, and
 * a note is taken back only when no further call of the lane overwrites it.
 */
import type { Redis } from 'ioredis';
import { keys } from '../../shared/jobs/keys.ts';
import type { QueuedRow } from './running-job.ts';

/**
 * Shorter calls are not noted: notes were a third of all fsyncs for calls of 0.1 ms. A row that takes the whole worker
 * down in so short a call is found by its job's attempts instead, and is noted from then on.
 */
const notedCallMsMin = 5;
/** A busy lane's next call comes within a turn or two of the loop; an idle lane's last note goes after this. */
const takeBackMs = 5;

export class CallNotes {
  readonly #redis: Redis;
  readonly #worker: string;
  /** Lanes with a note in Redis: what it says, and the timer that takes it back once the call is over. */
  readonly #noted = new Map<string, { readonly jobs: string; takeBack: NodeJS.Timeout | null }>();

  constructor(redis: Redis, worker: string) {
    this.#redis = redis;
    this.#worker = worker;
  }

  /** Before the call. */
  open(lane: string, rows: readonly QueuedRow[], predictedMs: number): void {
    const last = this.#noted.get(lane);
    if (last?.takeBack) clearTimeout(last.takeBack);
    if (rows.length === 0 || (predictedMs < notedCallMsMin && !rows.some(({ suspect }) => suspect))) {
      // The last call's jobs must not be blamed for a death in this one.
      if (last) this.#takeBack(lane);
      return;
    }
    const jobs = [...new Set(rows.map(({ item }) => item.job.name))].join(',');
    this.#noted.set(lane, { jobs, takeBack: null });
    // Rows that are written token by token are on board of many calls.
    if (last?.jobs === jobs) return;
    this.#redis.hset(keys.calls, this.#fieldOf(lane), jobs).catch(() => {});
  }

  /**
   * The call is over. Left there, jobs would be blamed for a death of this process that they had no part in. After a
   * lane's death at once: that death is counted by this worker, and must not be counted again.
   */
  close(lane: string, hasDied: boolean): void {
    const note = this.#noted.get(lane);
    if (!note || note.takeBack) return;
    if (hasDied) this.#takeBack(lane);
    else note.takeBack = setTimeout(() => this.#takeBack(lane), takeBackMs);
  }

  /** Takes back what is left; no further calls come. */
  async stop(): Promise<void> {
    const fields = [...this.#noted.keys()].map((lane) => this.#fieldOf(lane));
    for (const { takeBack } of this.#noted.values()) if (takeBack) clearTimeout(takeBack);
    this.#noted.clear();
    if (fields.length > 0) await this.#redis.hdel(keys.calls, ...fields).catch(() => {});
  }

  #takeBack(lane: string): void {
    this.#noted.delete(lane);
    this.#redis.hdel(keys.calls, this.#fieldOf(lane)).catch(() => {});
  }

  #fieldOf(lane: string): string {
    return `${this.#worker}/${lane}`;
  }
}
