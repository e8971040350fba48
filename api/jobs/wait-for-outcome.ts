/** Waits until a job has ended, the time is up or the caller has gone. What counts is the store, read at each ring. */
import { isOutcome } from '../../shared/jobs/job.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import { Bell } from './bell.ts';
import type { JobWatcher } from './job-watcher.ts';

/** A lost message costs at most this. */
const lookEveryMs = 1000;

export interface WaitParts {
  readonly store: JobStore;
  readonly watcher: JobWatcher;
}

export class OutcomeWait {
  readonly #parts: WaitParts;
  readonly #ref: JobRef;
  readonly #bell = new Bell();
  readonly #unwatch: () => void;

  /** Listens from here on; admit or read the job with the watcher's channel after this, so that nothing falls between. */
  constructor(parts: WaitParts, ref: JobRef) {
    this.#parts = parts;
    this.#ref = ref;
    this.#unwatch = parts.watcher.watch(ref, (status) => {
      if (status === null || isOutcome(status)) this.#bell.ring();
    });
  }

  /** The record at the end of the wait, ended or not. `last` is what is known so far, if anything. */
  async run(ms: number, signal: AbortSignal, last?: JobRecord): Promise<JobRecord | 'gone' | null> {
    const deadline = performance.now() + ms;
    let record: JobRecord | 'gone' | null =
      last ?? (await this.#parts.store.read(this.#ref, this.#parts.watcher.channel));
    while (record && record !== 'gone' && !isOutcome(record.status) && !signal.aborted) {
      const left = deadline - performance.now();
      if (left <= 0) break;
      await this.#bell.wait(Math.min(left, lookEveryMs), signal);
      record = await this.#parts.store.read(this.#ref);
    }
    return record;
  }

  stop(): void {
    this.#unwatch();
  }
}
