/**
 * What calls of each model cost on this device: a curve per model (`latency-curve.ts`) and how far calls miss it
 * (`residuals.ts`). One worker has one device and one number of threads per lane, so the model's id is the whole key.
 */
import { LatencyCurve, type SavedCurve } from './latency-curve.ts';
import type { CostModel } from './policy.ts';
import { Residuals } from './residuals.ts';

interface Learned {
  readonly curve: LatencyCurve;
  readonly residuals: Residuals;
}

export class LearnedCostModel implements CostModel {
  readonly #models = new Map<string, Learned>();

  predictMs(model: string, rows: number, length: number): number {
    // Nothing known: rows cost alike, so nothing speaks for or against joining.
    return this.#models.get(model)?.curve.ms(rows, length) ?? 10 * rows;
  }

  p99Ms(model: string, rows: number, length: number): number {
    return this.predictMs(model, rows, length) * (this.#models.get(model)?.residuals.q99 ?? 1);
  }

  observe(model: string, rows: number, length: number, ms: number): void {
    let learned = this.#models.get(model);
    if (!learned) {
      learned = { curve: LatencyCurve.begin(rows, length, ms), residuals: new Residuals() };
      this.#models.set(model, learned);
    }
    learned.residuals.observe(ms / learned.curve.ms(rows, length));
    learned.curve.observe(rows, length, ms);
  }

  /** Begins with what an earlier life of the worker learned. */
  restore(model: string, saved: SavedCurve): void {
    this.#models.set(model, { curve: new LatencyCurve(saved), residuals: new Residuals() });
  }

  /** Undefined when nothing was learned. */
  save(model: string): SavedCurve | undefined {
    return this.#models.get(model)?.curve.save();
  }
}
