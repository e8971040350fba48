/**
 * A call is at most four times as large, in padded units, as the largest of its model before it. What the first calls on a
 * busy machine say of a larger one may be wrong by any factor: once, on real lanes, nothing ended for eight seconds after a
 * model's sixth call (decision 17). Eight calls are enough to get from one row to 16,384. Pure.
 */

const growthMax = 4;

export class Growth {
  /** Padded units of the largest call that ran. */
  readonly #largest = new Map<string, number>();

  /** Padded units that a call of several rows may have; the first call of a model joins none. */
  unitsMax(model: string): number {
    return growthMax * (this.#largest.get(model) ?? 0);
  }

  ran(model: string, units: number): void {
    if (units > (this.#largest.get(model) ?? 0)) this.#largest.set(model, units);
  }

  forget(model: string): void {
    this.#largest.delete(model);
  }
}
