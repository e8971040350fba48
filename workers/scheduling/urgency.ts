/**
 * Which row of a class goes next: the one with the least slack (earliest deadline first, over what its own call takes).
 * Rows that can not make it any more stand behind those that can, since saving one late row would make the next one
 * late too; one pick in ten goes to the oldest late one, so that none is left for good. Pure but for that count.
 */
import type { CostModel, WaitingRow } from './policy.ts';
import { latestStartMs } from './service-levels.ts';

const lateShare = 10;

export class Urgency {
  readonly #cost: CostModel;
  #picks = 0;

  constructor(cost: CostModel) {
    this.#cost = cost;
  }

  /** `rows` is in order of arrival, and not empty. */
  mostUrgent<R extends WaitingRow>(rows: readonly R[], nowMs: number): R {
    let oldestLate: R | null = null;
    let soonest: R | null = null;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const row of rows) {
      const startMs = latestStartMs(this.#cost, row);
      if (startMs < nowMs) {
        oldestLate ??= row;
      } else if (soonest === null || startMs < soonestMs) {
        soonest = row;
        soonestMs = startMs;
      }
    }
    if (oldestLate && (soonest === null || ++this.#picks % lateShare === 0)) return oldestLate;
    return soonest ?? (rows[0] as R);
  }
}
