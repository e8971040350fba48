/**
 * Starts claimed jobs in the store, those of one model that come together in one script. Until Redis takes it: a start
 * that failed would make BullMQ drop the reference, and the job would never end.
 */
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { Claim, JobRef } from '../../shared/jobs/store/words.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { GroupCommit } from '../../shared/redis/group-commit.ts';
import { untilTaken } from '../outcomes/until-taken.ts';

export class JobStarts {
  readonly #store: JobStore;
  readonly #logger: Logger;
  readonly #groups = new Map<string, GroupCommit<JobRef, Claim>>();

  constructor(store: JobStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  async start(ref: JobRef, { id, version }: ModelFiles): Promise<Claim> {
    const key = `${id}/${version}`;
    let group = this.#groups.get(key);
    if (!group) {
      group = new GroupCommit((refs) => this.#write(refs, version));
      this.#groups.set(key, group);
    }
    return await group.add(ref);
  }

  async #write(refs: JobRef[], version: string): Promise<Claim[]> {
    return await untilTaken(
      () => this.#store.start(refs, version),
      (error, pauseMs) =>
        this.#logger.warn({ err: error, jobs: refs.length, pauseMs }, 'jobs could not be started; trying again'),
    );
  }
}
