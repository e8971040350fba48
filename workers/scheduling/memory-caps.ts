/**
 * How large a call of a model may be, in padded units, after one did not fit into memory: half of what failed; grown again
 * by a twentieth per 200 good calls, but for ten minutes not to where it failed. The rows of the failed call are halved
 * and rerun by the scheduler; a row that does not fit alone fails alone. Pure.
 */

const goodCallsPerGrowth = 200;
const growth = 1.05;
const headroom = 0.9;
const memoryMs = 600_000;

interface Cap {
  units: number;
  failedUnits: number;
  failedMs: number;
  goodCalls: number;
}

export class MemoryCaps {
  readonly #caps = new Map<string, Cap>();

  /** Padded units that a call of several rows may have. */
  unitsMax(model: string): number {
    return this.#caps.get(model)?.units ?? Number.POSITIVE_INFINITY;
  }

  overflowed(model: string, units: number, nowMs: number): void {
    const known = this.#caps.get(model);
    const failedUnits = Math.min(units, known?.failedUnits ?? units);
    this.#caps.set(model, {
      units: Math.min(units / 2, known?.units ?? units),
      failedUnits,
      failedMs: nowMs,
      goodCalls: 0,
    });
  }

  ran(model: string, nowMs: number): void {
    const cap = this.#caps.get(model);
    if (!cap || ++cap.goodCalls < goodCallsPerGrowth) return;
    cap.goodCalls = 0;
    const wall = nowMs - cap.failedMs < memoryMs ? headroom * cap.failedUnits : Number.POSITIVE_INFINITY;
    cap.units = Math.min(growth * cap.units, wall);
    if (nowMs - cap.failedMs >= memoryMs && cap.units > 2 * cap.failedUnits) this.#caps.delete(model);
  }
}
