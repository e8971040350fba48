/**
 * How many waiting rows are looked at together: twelve calls' worth, so that neighbours by length are near, and no more,
 * since every further row costs time at the moment when a lane stands still. Pure.
 */

const callsPerWindow = 12;
/** A look at 128 rows takes 0.06 ms, at 512 rows 0.3 ms: the second is for calls that take long enough not to feel it. */
const rowsMin = { short: 128, long: 512 } as const;
const longCallMs = 5;
const rowsMax = 2048;
/** Calls are averaged over about ten. */
const averageRate = 0.1;

interface Average {
  rows: number;
  ms: number;
}

export class Windows {
  readonly #calls = new Map<string, Average>();

  rowsMax(model: string): number {
    const { rows, ms } = this.#calls.get(model) ?? { rows: 0, ms: 0 };
    const least = ms < longCallMs ? rowsMin.short : rowsMin.long;
    return Math.round(Math.min(rowsMax, Math.max(least, callsPerWindow * rows)));
  }

  observe(model: string, rows: number, ms: number): void {
    const average = this.#calls.get(model);
    if (!average) {
      this.#calls.set(model, { rows, ms });
      return;
    }
    average.rows += averageRate * (rows - average.rows);
    average.ms += averageRate * (ms - average.ms);
  }

  forget(model: string): void {
    this.#calls.delete(model);
  }
}
