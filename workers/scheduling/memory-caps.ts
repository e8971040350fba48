/**
 * How large a call of a model may be, in padded units, after one did not fit into memory: half of what failed, or the
 * largest that has run; from there by quarters of the way to nine tenths of what failed. What failed ten minutes ago is
 * tried again. The rows of the failed call are halved and rerun by the scheduler; a row that does not fit alone fails
 * alone. Pure.
 */

const goodCallsPerStep = 50;
const stepShare = 0.25;
const headroom = 0.9;
const memoryMs = 600_000;
/** Per step, once what failed is long ago. */
const growth = 1.05;

interface Cap {
  units: number;
  failedUnits: number;
  failedMs: number;
  goodCalls: number;
}

export class MemoryCaps {
  readonly #caps = new Map<string, Cap>();
  /** Padded units of the largest call that ran. */
  readonly #largest = new Map<string, number>();

  /** Padded units that a call of several rows may have. */
  unitsMax(model: string): number {
    return this.#caps.get(model)?.units ?? Number.POSITIVE_INFINITY;
  }

  overflowed(model: string, units: number, nowMs: number): void {
    const failedUnits = Math.min(units, this.#caps.get(model)?.failedUnits ?? units);
    const largest = this.#largest.get(model) ?? 0;
    // Less fits than once did: what ran says nothing any more.
    const ran = largest < failedUnits ? largest : headroom * failedUnits;
    this.#largest.set(model, ran);
    this.#caps.set(model, { units: Math.max(failedUnits / 2, ran), failedUnits, failedMs: nowMs, goodCalls: 0 });
  }

  ran(model: string, units: number, nowMs: number): void {
    if (units > (this.#largest.get(model) ?? 0)) this.#largest.set(model, units);
    const cap = this.#caps.get(model);
    if (!cap || ++cap.goodCalls < goodCallsPerStep) return;
    cap.goodCalls = 0;
    if (nowMs - cap.failedMs < memoryMs) {
      cap.units += Math.max(0, stepShare * (headroom * cap.failedUnits - cap.units));
      return;
    }
    cap.units *= growth;
    if (cap.units > 2 * cap.failedUnits) this.#caps.delete(model);
  }

  forget(model: string): void {
    this.#caps.delete(model);
    this.#largest.delete(model);
  }
}
