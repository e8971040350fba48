/**
 * Writes results to the store, many at a time, and does not give up: a result that was computed is kept until Redis takes
 * it. Moves large outputs out of Redis afterwards. Knows nothing of lanes or rows.
 */
import type { BlobStore } from '../../shared/blobs/blob-store.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { Finish, FinishReply, JobRef } from '../../shared/jobs/store/words.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { GroupCommit } from '../../shared/redis/group-commit.ts';
import { untilTaken } from './until-taken.ts';

/**
 * A write costs Redis and this process 0.2 ms each; items of one job that come one by one shared none. What is lost with
 * the process in this time is computed again.
 */
const lingerMs = 25;

export class OutcomeWriter {
  readonly #store: JobStore;
  readonly #blobs: BlobStore;
  readonly #logger: Logger;
  readonly #group = new GroupCommit<Finish, FinishReply>((entries) => this.#write(entries));

  constructor(store: JobStore, blobs: BlobStore, logger: Logger) {
    this.#store = store;
    this.#blobs = blobs;
    this.#logger = logger;
  }

  /**
   * Moves the output of an ended job into a blob. Not part of ending it: until it is done, or should it fail, the output is
   * read from Redis all the same.
   */
  async offload(ref: JobRef, trace: string | undefined): Promise<void> {
    try {
      await this.#store.offload(ref, async (json) => {
        const spooled = await this.#blobs.spool(Buffer.from(json));
        return await this.#blobs.adopt(ref, 'output', spooled);
      });
    } catch (error) {
      this.#logger.warn({ err: error, job: ref.id, trace }, 'large output stays in Redis');
    }
  }

  /** `isAwaited`: it may end its job. A result among others still to come waits up to 25 ms to travel with them. */
  async finish(entry: Finish, isAwaited = true): Promise<FinishReply> {
    return await this.#group.add(entry, isAwaited ? 0 : lingerMs);
  }

  /** Until it works: the fence makes a repeated write harmless, so a lost reply is simply written again. */
  async #write(entries: Finish[]): Promise<FinishReply[]> {
    return await untilTaken(
      () => this.#store.finish(entries),
      (error, pauseMs) =>
        this.#logger.warn(
          { err: error, results: entries.length, pauseMs },
          'results could not be stored; trying again',
        ),
    );
  }
}
