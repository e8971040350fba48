/**
 * Which row of a class goes next: the one that must start first to be in time (earliest deadline, over what its own call
 * takes). Late rows are not put behind those that can still make it: in bursts of 1.2 times what the device can do that
 * took p99 from 474 to 840 ms (simulated), and in a lasting flood nobody was in time either way. Pure.
 */
import type { CostModel, WaitingRow } from './policy.ts';
import { allowedMs, levelMs } from './service-levels.ts';

export class Urgency {
  readonly #cost: CostModel;

  constructor(cost: CostModel) {
    this.#cost = cost;
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

  /** The last moment at which a call of this row alone would still end in time. */
  latestStartMs(row: WaitingRow): number {
    const { p99Factor, ms } = this.#of(row.model);
    let loneMs = ms.get(row.length);
    if (loneMs === undefined) {
      loneMs = this.#cost.predictMs(row.model, 1, row.length);
      ms.set(row.length, loneMs);
    }
    return Math.min(row.deadlineMs, row.arrivedMs + allowedMs(row, loneMs)) - p99Factor * loneMs;
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
