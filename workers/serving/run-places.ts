/** Where a model's rows run: in the lanes of this device, or at a server elsewhere. Whoever serves models need not know. */
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { LanePool } from '../lane/lane-pool.ts';
import type { QueuedRow } from '../running/running-job.ts';
import type { Scheduler } from '../scheduling/scheduler.ts';
import type { UpstreamPool } from '../upstream/upstream-pool.ts';

export interface PlaceParts {
  readonly pool: LanePool;
  readonly scheduler: Scheduler;
  readonly upstreams: UpstreamPool;
}

export class RunPlaces {
  readonly #parts: PlaceParts;

  constructor(parts: PlaceParts) {
    this.#parts = parts;
  }

  add(files: ModelFiles): void {
    if (files.upstream) this.#parts.upstreams.add(files, files.upstream);
    else this.#parts.pool.add(files);
  }

  remove(unit: string): void {
    const { pool, scheduler, upstreams } = this.#parts;
    if (upstreams.has(unit)) {
      upstreams.remove(unit);
    } else {
      pool.remove(unit);
      scheduler.forget(unit);
    }
  }

  /** Somebody says that what kept the model from running is gone. */
  retry(model: string): void {
    this.#parts.pool.retry(model);
    this.#parts.upstreams.retry(model);
  }

  /** Rows that each lane writes at once; twice what a server takes, by lanes, so that its next rows are at hand. */
  slotsOf(model: string): number {
    const { pool, upstreams } = this.#parts;
    return Math.max(pool.slotsOf(model), Math.ceil((2 * upstreams.callsOf(model)) / pool.size));
  }

  /** Rows of one model: a call elsewhere takes no time of this device, so the scheduler never sees it. */
  enqueue(rows: readonly QueuedRow[]): void {
    if (rows[0]?.item.job.files.upstream) this.#parts.upstreams.enqueue(rows);
    else this.#parts.scheduler.add(rows);
  }
}
