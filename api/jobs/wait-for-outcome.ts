/**
 * Waits until a job has ended, the time is up, the caller has gone or the process stops. Who is told the outcome takes it
 * from there: reading it again cost 75 us of API and Redis. In every other case the store is read.
 */
import { isOutcome } from '../../shared/jobs/job.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import { Bell } from './bell.ts';
import type { JobWatcher } from './job-watcher.ts';

/**
 * Who hears nothing looks after this, and then after twice as long each time: a lost message costs no more than as long
 * again, and 64 callers of a busy system do not read their jobs once a second.
 */
const firstLookMs = 1000;
const lookMsMax = 8000;

export interface WaitParts {
  readonly store: JobStore;
  readonly watcher: JobWatcher;
  /** Wakes no wait by itself: whoever aborts it calls `wakeAll` of the watcher. */
  readonly stopping: AbortSignal;
}

export class OutcomeWait {
  readonly #parts: WaitParts;
  readonly #ref: JobRef;
  readonly #bell = new Bell();
  readonly #unwatch: () => void;
  #outcome: JobRecord | undefined;

  /** Listens from here on; admit or read the job with the watcher's channel after this, so that nothing falls between. */
  constructor(parts: WaitParts, ref: JobRef) {
    this.#parts = parts;
    this.#ref = ref;
    this.#unwatch = parts.watcher.watch(ref, (status, outcome) => {
      if (status !== null && !isOutcome(status)) return;
      this.#outcome ??= outcome;
      this.#bell.ring();
    });
  }

  /** The record at the end of the wait, ended or not. `last` is what is known so far, if anything. */
  async run(ms: number, signal: AbortSignal, last?: JobRecord): Promise<JobRecord | 'gone' | null> {
    const deadline = performance.now() + ms;
    const { store, watcher, stopping } = this.#parts;
    let lookMs = firstLookMs;
    let record: JobRecord | 'gone' | null = last ?? (await store.read(this.#ref, watcher.channel));
    while (record && record !== 'gone' && !isOutcome(record.status) && !signal.aborted && !stopping.aborted) {
      const left = deadline - performance.now();
      if (left <= 0) break;
      await this.#bell.wait(Math.min(left, lookMs), signal);
      lookMs = Math.min(2 * lookMs, lookMsMax);
      record = this.#outcome ?? (await store.read(this.#ref));
    }
    return record;
  }

  stop(): void {
    this.#unwatch();
  }
}
