/**
 * How fast the device is now, compared with what was learned of it: a neighbour takes a core, a clock falls. One factor for
 * all models, followed within twenty calls, so that the shape of each curve can be learned slowly. Pure.
 */

/** A call weighs a tenth: a core that is taken shows after 10 to 20 calls, one slow call does not. */
const rate = 0.1;
/** A single call says no more than this. */
const logRatioMax = Math.log(3);
const logMax = Math.log(64);

export class DevicePace {
  /** Times what was learned that calls take now. Kept ready: a partition asks some thousand times. */
  factor = 1;
  #log = 0;

  /** `ratio`: measured over predicted, the factor included. */
  observe(ratio: number): void {
    const logRatio = Math.min(logRatioMax, Math.max(-logRatioMax, Math.log(Math.max(1e-9, ratio))));
    this.#log = Math.min(logMax, Math.max(-logMax, this.#log + rate * logRatio));
    this.factor = Math.exp(this.#log);
  }
}
