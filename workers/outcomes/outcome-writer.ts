/**
 * Writes results to the store, many at a time, and does not give up: a result that was computed is kept until Redis takes
 * it. Counts outcomes. Knows nothing of lanes or rows.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finish, FinishReply, JobStore } from '../../shared/jobs/store/job-store.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { GroupCommit } from '../../shared/redis/group-commit.ts';

const retryMsMax = 2000;

export class OutcomeWriter {
  readonly #store: JobStore;
  readonly #logger: Logger;
  readonly #group = new GroupCommit<Finish, FinishReply>((entries) => this.#write(entries));

  constructor(store: JobStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  async finish(entry: Finish): Promise<FinishReply> {
    return await this.#group.add(entry);
  }

  /** Until it works: the fence makes a repeated write harmless, so a lost reply is simply written again. */
  async #write(entries: Finish[]): Promise<FinishReply[]> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#store.finish(entries);
      } catch (error) {
        const pauseMs = Math.min(retryMsMax, 50 * 2 ** attempt);
        this.#logger.warn(
          { err: error, results: entries.length, pauseMs },
          'results could not be stored; trying again',
        );
        await sleep(pauseMs);
      }
    }
  }
}
