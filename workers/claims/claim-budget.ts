/**
 * How many jobs of one queue a worker may hold. Bounded in predicted seconds of work, not in jobs: a worker that started
 * 0.3 s late got 17 of 150 jobs when the first one claimed 128 at once (makespan 13.4 s against 7.9 s). Work is counted by
 * item, since a job has 1 to 256 of them: by the mean of jobs, 200 large ones were claimed behind many small ones, went on
 * side by side, and the first ended after 30 s. A model that writes token by token is given at least what its lanes can
 * write at once: a row alone takes a step almost as long as sixteen. Pure.
 */

/** A second of work per lane is what the batching window needs (64 rows of 10 ms), and all that a crash can delay. */
const budgetMsPerLane = 1000;
const claimsMin = 2;
const claimsMax = 256;
/** What an item costs is averaged over about ten jobs. */
const averageRate = 0.1;

/** What a job took in all. */
export interface JobCost {
  readonly laneMs: number;
  readonly rows: number;
}

/** Of one queue: jobs, and their items together. */
export interface Holding {
  readonly claims: number;
  readonly items: number;
}

export class ClaimBudget {
  readonly #lanes: number;
  readonly #slots: () => number;
  #itemMs: number;
  #itemRows = 1;

  /**
   * `firstGuessMs`: what a tiny item took when the model was loaded. `slots`: rows that a lane writes at once, 0 for a
   * model that takes whole calls.
   */
  constructor(lanes: number, firstGuessMs: number, slots: () => number = () => 0) {
    this.#lanes = lanes;
    this.#slots = slots;
    this.#itemMs = Math.max(0.1, firstGuessMs);
  }

  /** `laneMs`: lane time that the job's `items` took together. */
  observe({ laneMs, rows }: JobCost, items: number): void {
    this.#itemMs += averageRate * (Math.max(0.01, laneMs / items) - this.#itemMs);
    this.#itemRows += averageRate * (Math.max(1, rows / items) - this.#itemRows);
  }

  /** Items that one queue may hold. */
  get items(): number {
    return Math.max(this.#together, Math.round((budgetMsPerLane * this.#lanes) / this.#itemMs));
  }

  /**
   * Jobs to claim now. How large they are shows when they are there: no more at once than are held, or than the lanes write
   * at once, so that what is too much is no more than that again.
   */
  room({ claims, items }: Holding): number {
    const few = claimsMin * this.#lanes;
    const left = Math.min(claimsMax - claims, this.items - items, Math.max(few, this.#together, claims));
    return Math.max(few - claims, left, 0);
  }

  /** Items that the lanes write at once, of a model that writes token by token. */
  get #together(): number {
    return Math.ceil((this.#slots() * this.#lanes) / this.#itemRows);
  }
}
