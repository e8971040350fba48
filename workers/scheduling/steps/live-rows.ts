/** The rows of one model that one lane is writing: who they are, and what they have cost so far. */
import type { LoadedModel } from '../../lane/lane.ts';
import type { QueuedRow } from '../../running/running-job.ts';

export interface LiveRow {
  readonly id: number;
  readonly row: QueuedRow;
  readonly admittedMs: number;
  /** Its share of lane time, the time of all calls it was in, and the most rows it was written with. */
  laneMs: number;
  computeMs: number;
  rowsMax: number;
  calls: number;
}

export class LiveRows {
  /** The load that the rows are part of: one anew knows nothing of them. */
  readonly loaded: LoadedModel;
  readonly #rows = new Map<number, LiveRow>();
  /** Rows that nobody wants any more, to be told to the lane. */
  readonly #dropped: number[] = [];
  /** A call of steps is under way. */
  isStepping = false;
  /** When the last call ended; when the rows wait since, that is. */
  waitsSinceMs = 0;

  constructor(loaded: LoadedModel) {
    this.loaded = loaded;
  }

  get size(): number {
    return this.#rows.size;
  }

  get rows(): QueuedRow[] {
    return [...this.#rows.values()].map(({ row }) => row);
  }

  get all(): LiveRow[] {
    return [...this.#rows.values()];
  }

  add(id: number, row: QueuedRow, nowMs: number): void {
    this.#rows.set(id, { id, row, admittedMs: nowMs, laneMs: 0, computeMs: 0, rowsMax: 0, calls: 0 });
  }

  /** Null when it was dropped before its result came. */
  take(id: number): LiveRow | null {
    const live = this.#rows.get(id) ?? null;
    this.#rows.delete(id);
    return live;
  }

  /** Takes these rows out; the lane is told with the next call. */
  drop(isGone: (row: QueuedRow) => boolean): LiveRow[] {
    const gone = this.all.filter(({ row }) => isGone(row));
    for (const { id } of gone) {
      this.#rows.delete(id);
      this.#dropped.push(id);
    }
    return gone;
  }

  get hasDropped(): boolean {
    return this.#dropped.length > 0;
  }

  takeDropped(): number[] {
    return this.#dropped.splice(0);
  }

  /** A call ended: everybody on board bears an equal share of it. */
  charge(wallMs: number, computeMs: number): void {
    for (const live of this.#rows.values()) {
      live.laneMs += wallMs / this.#rows.size;
      live.computeMs += computeMs;
      live.rowsMax = Math.max(live.rowsMax, this.#rows.size);
      live.calls++;
    }
  }
}
