/**
 * What calls of each model cost on this device: a curve per model (`latency-curve.ts`), how far calls miss it
 * (`residuals.ts`), and how fast the device is now (`device-pace.ts`). One worker has one device and one number of threads
 * per lane, so the model's id is the whole key.
 */
import { DevicePace } from './device-pace.ts';
import { LatencyCurve } from './latency-curve.ts';
import type { CostModel } from './policy.ts';
import { Residuals } from './residuals.ts';

/** Calls before a model's misses say something of the device: until then its own curve is what is wrong. */
const callsUntilKnown = 50;

interface Learned {
  readonly curve: LatencyCurve;
  readonly residuals: Residuals;
  calls: number;
}

export class LearnedCostModel implements CostModel {
  readonly #models = new Map<string, Learned>();
  readonly #pace = new DevicePace();

  predictMs(model: string, rows: number, length: number): number {
    const learned = this.#models.get(model);
    // Nothing known: rows cost alike, so nothing speaks for or against joining.
    return learned ? learned.curve.ms(rows, length) * this.#pace.factor : 10 * rows;
  }

  p99Factor(model: string): number {
    return this.#models.get(model)?.residuals.q99 ?? 1;
  }

  observe(model: string, rows: number, length: number, ms: number): void {
    const pace = this.#pace.factor;
    let learned = this.#models.get(model);
    if (!learned) {
      learned = { curve: new LatencyCurve(rows, length, ms / pace), residuals: new Residuals(), calls: 0 };
      this.#models.set(model, learned);
    }
    const ratio = ms / pace / learned.curve.ms(rows, length);
    learned.residuals.observe(ratio);
    learned.curve.observe(rows, length, ms / pace);
    if (learned.calls++ >= callsUntilKnown) this.#pace.observe(ratio);
  }
}
