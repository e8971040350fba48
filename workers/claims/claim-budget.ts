/**
 * How many jobs of one queue a worker may hold. Bounded in predicted seconds of work, not in jobs: a worker that started
 * 0.3 s late got 17 of 150 jobs when the first one claimed 128 at once (makespan 13.4 s against 7.9 s). A model that
 * writes token by token is given at least what its lanes can write at once: a row alone takes a step almost as long as
 * sixteen. Pure.
 */

/** A second of work per lane is what the batching window needs (64 rows of 10 ms), and all that a crash can delay. */
const budgetMsPerLane = 1000;
const claimsMin = 2;
const claimsMax = 256;
/** A job's cost is averaged over about ten jobs. */
const averageRate = 0.1;

/** What a job took in all. */
export interface JobCost {
  readonly laneMs: number;
  readonly rows: number;
}

export class ClaimBudget {
  readonly #lanes: number;
  readonly #slots: () => number;
  #jobMs: number;
  #jobRows = 1;

  /**
   * `firstGuessMs`: what a tiny item took when the model was loaded. `slots`: rows that a lane writes at once, 0 for a
   * model that takes whole calls.
   */
  constructor(lanes: number, firstGuessMs: number, slots: () => number = () => 0) {
    this.#lanes = lanes;
    this.#slots = slots;
    this.#jobMs = Math.max(0.1, firstGuessMs);
  }

  /** `laneMs`: lane time that the job took in all. */
  observe({ laneMs, rows }: JobCost): void {
    this.#jobMs += averageRate * (Math.max(0.01, laneMs) - this.#jobMs);
    this.#jobRows += averageRate * (Math.max(1, rows) - this.#jobRows);
  }

  get claims(): number {
    const wanted = Math.round((budgetMsPerLane * this.#lanes) / this.#jobMs);
    const together = Math.ceil((this.#slots() * this.#lanes) / this.#jobRows);
    return Math.min(claimsMax, Math.max(claimsMin * this.#lanes, together, wanted));
  }
}
