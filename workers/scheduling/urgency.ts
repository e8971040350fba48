/**
 * Which row of a class goes next: the one that must start first to be in time (earliest deadline, over what its own call
 * takes). Rows whose job will be over before their own call is are left out while others wait: what they are given is lost,
 * and in a queue that is too long everybody after them is late as well. That is for a job's own deadline only: with the
 * class's level, which is no promise, late rows behind the others took p99 in bursts of 1.2 times what the device can do
 * from 453 to 922 ms (simulated). Pure.
 */
import type { CostModel, WaitingRow } from './policy.ts';
import { allowedMs, levelMs } from './service-levels.ts';

export class Urgency {
  readonly #cost: CostModel;

  constructor(cost: CostModel) {
    this.#cost = cost;
  }

  /** Of `rows` those that can still end before their job does, 99 of 100 times; all when none can. */
  inTime<R extends WaitingRow>(rows: readonly R[], nowMs: number): readonly R[] {
    const lone = new LoneCalls(this.#cost);
    const some = rows.filter((row) => nowMs + lone.p99Ms(row) <= row.deadlineMs);
    return some.length > 0 ? some : rows;
  }

  /** `rows` is in order of arrival, and not empty. Of rows without a deadline the first. */
  mostUrgent<R extends WaitingRow>(rows: readonly R[]): R {
    let soonest = rows[0] as R;
    let soonestMs = Number.POSITIVE_INFINITY;
    const lone = new LoneCalls(this.#cost);
    for (const row of rows) {
      if (levelMs[row.class] === Number.POSITIVE_INFINITY && row.deadlineMs === Number.POSITIVE_INFINITY) continue;
      const startMs = lone.latestStartMs(row);
      if (startMs >= soonestMs) continue;
      soonest = row;
      soonestMs = startMs;
    }
    return soonest;
  }
}

/** Calls of one row, for one look at the rows: hundreds of them have few lengths, and asking for each took half the decision. */
class LoneCalls {
  readonly #cost: CostModel;
  readonly #models = new Map<string, { readonly p99Factor: number; readonly ms: Map<number, number> }>();

  constructor(cost: CostModel) {
    this.#cost = cost;
  }

  /** What 99 of 100 calls of this row alone stay below. */
  p99Ms(row: WaitingRow): number {
    return this.#of(row.model).p99Factor * this.#ms(row);
  }

  /** The last moment at which a call of this row alone would still end in time. */
  latestStartMs(row: WaitingRow): number {
    return Math.min(row.deadlineMs, row.arrivedMs + allowedMs(row, this.#ms(row))) - this.p99Ms(row);
  }

  #ms(row: WaitingRow): number {
    const { ms } = this.#of(row.model);
    let loneMs = ms.get(row.length);
    if (loneMs === undefined) {
      loneMs = this.#cost.predictMs(row.model, 1, row.length);
      ms.set(row.length, loneMs);
    }
    return loneMs;
  }

  #of(model: string): { readonly p99Factor: number; readonly ms: Map<number, number> } {
    let known = this.#models.get(model);
    if (!known) {
      known = { p99Factor: this.#cost.p99Factor(model), ms: new Map() };
      this.#models.set(model, known);
    }
    return known;
  }
}
