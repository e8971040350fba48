/** Rows that wait for a place in a server's calls: by class, then by arrival; a row that just failed lets others pass. */
import { jobClasses } from '../../shared/jobs/job.ts';
import type { QueuedRow } from '../running/running-job.ts';

export interface WaitingCall {
  readonly row: QueuedRow;
  /** Calls that the server broke on with it. */
  readonly faults: number;
  readonly notBeforeMs: number;
}

export class WaitingRows {
  /** Bounded by the claim budget and the bytes of rows that a job may hold. */
  #rows: WaitingCall[] = [];

  get size(): number {
    return this.#rows.length;
  }

  /** When the first of them may be asked; infinite when there is none. */
  get soonestMs(): number {
    return this.#rows.reduce((soonest, { notBeforeMs }) => Math.min(soonest, notBeforeMs), Number.POSITIVE_INFINITY);
  }

  add(call: WaitingCall): void {
    this.#rows.push(call);
  }

  /** Rows of jobs that ended wait for nothing. */
  dropUnwanted(): void {
    this.#rows = this.#rows.filter(({ row }) => !row.item.job.isOver && !row.item.settled);
  }

  empty(): QueuedRow[] {
    return this.#rows.splice(0).map(({ row }) => row);
  }

  take(nowMs: number): WaitingCall | null {
    const free = this.#rows.filter(({ notBeforeMs }) => notBeforeMs <= nowMs);
    const [first, ...others] = free;
    if (!first) return null;
    const chosen = others.reduce((best, call) => (isBefore(call.row, best.row) ? call : best), first);
    this.#rows.splice(this.#rows.indexOf(chosen), 1);
    return chosen;
  }
}

function isBefore(a: QueuedRow, b: QueuedRow): boolean {
  const rank = jobClasses.indexOf(a.class) - jobClasses.indexOf(b.class);
  return rank < 0 || (rank === 0 && a.arrivedMs < b.arrivedMs);
}
