/**
 * How many jobs of one queue a worker may hold. Bounded in predicted seconds of work, not in jobs: a worker that started
 * 0.3 s late got 17 of 150 jobs when the first one claimed 128 at once (makespan 13.4 s against 7.9 s). Pure.
 */

/** A second of work per lane is what the batching window needs (64 rows of 10 ms), and all that a crash can delay. */
const budgetMsPerLane = 1000;
const claimsMin = 2;
const claimsMax = 256;
/** A job's cost is averaged over about ten jobs. */
const averageRate = 0.1;

export class ClaimBudget {
  readonly #lanes: number;
  #jobMs: number;

  /** `firstGuessMs`: what a tiny item took when the model was loaded. */
  constructor(lanes: number, firstGuessMs: number) {
    this.#lanes = lanes;
    this.#jobMs = Math.max(0.1, firstGuessMs);
  }

  /** `laneMs`: lane time that the job took in all. */
  observe(laneMs: number): void {
    this.#jobMs += averageRate * (Math.max(0.01, laneMs) - this.#jobMs);
  }

  get claims(): number {
    const wanted = Math.round((budgetMsPerLane * this.#lanes) / this.#jobMs);
    return Math.min(claimsMax, Math.max(claimsMin * this.#lanes, wanted));
  }
}
