/**
 * How many rows share a call of the encoder: the power of two with the least measured time per row that fits the budget.
 * A larger one is tried once when the next smaller is the best so far, and again after a while. Pure.
 */

const averageRate = 0.2;
const sizeMax = 16;
/** Chunks between two tries of a size that was not the best. */
const triedAgainAfter = 200;

interface Seen {
  /** Ms per row. */
  ms: number;
  at: number;
}

export class ChunkSize {
  readonly #seen = new Map<number, Seen>();
  #chunks = 0;

  /** At most `waiting`, at least 1. */
  choose(waiting: number, budgetMs: number): number {
    let best = 1;
    for (let size = 2; size <= Math.min(waiting, sizeMax); size *= 2) {
      const smaller = this.#seen.get(size / 2);
      const own = this.#seen.get(size);
      if (!smaller || smaller.ms * size > budgetMs) break;
      const isWorthTrying = best === size / 2 && (!own || this.#chunks - own.at > triedAgainAfter);
      if (isWorthTrying) return size;
      if (own && own.ms * size <= budgetMs && own.ms < (this.#seen.get(best)?.ms ?? 0)) best = size;
    }
    return best;
  }

  observe(size: number, ms: number): void {
    this.#chunks++;
    const seen = this.#seen.get(size);
    const perRow = ms / size;
    if (!seen) this.#seen.set(size, { ms: perRow, at: this.#chunks });
    else {
      seen.ms += averageRate * (perRow - seen.ms);
      seen.at = this.#chunks;
    }
  }
}
