/**
 * What calls of each model cost on this device: a curve per model (`latency-curve.ts`), how far calls miss it
 * (`residuals.ts`), and how fast the device is now (`device-pace.ts`). One worker has one device and one number of threads
 * per lane, so the model's id is the whole key. Starts with what an earlier process remembers (`warm-start/`).
 */
import { DevicePace } from './device-pace.ts';
import { LatencyCurve } from './latency-curve.ts';
import type { CostModel } from './policy.ts';
import { Residuals } from './residuals.ts';
import { discount, type ModelMemory, modelsMax, paced } from './warm-start/model-memory.ts';

/** Calls before a model's misses say something of the device: until then its own curve is what is wrong. */
const callsUntilKnown = 50;
/**
 * What is remembered is dropped when more than half of the first calls miss it by this factor: it is of another device, or
 * of another model. Left to fade, that of a GPU held a CPU at 0.24 of the oracle for 20 s (simulated).
 */
const strangeFactor = 3;
const callsOnTrial = 8;

interface Learned {
  readonly curve: LatencyCurve;
  readonly residuals: Residuals;
  calls: number;
  /** Of what is remembered, the calls of this process so far, and those that missed it by far; null once it is trusted. */
  trial: { calls: number; strange: number } | null;
  /** Whether it had a call in this process. */
  isFresh: boolean;
  /** Whether it is the calls' own work, and no pace is in it. */
  isOwn: boolean;
}

export class LearnedCostModel implements CostModel {
  /** The one that ran last at the end. */
  readonly #models = new Map<string, Learned>();
  readonly #pace = new DevicePace();

  constructor(remembered: ReadonlyMap<string, ModelMemory> = new Map()) {
    for (const [model, memory] of remembered) this.#models.set(model, recall(discount(memory)));
  }

  predictMs(model: string, rows: number, length: number): number {
    const learned = this.#models.get(model);
    // Nothing known: rows cost alike, so nothing speaks for or against joining.
    return learned ? learned.curve.ms(rows, length) * this.#pace.factor : 10 * rows;
  }

  p99Factor(model: string): number {
    return this.#models.get(model)?.residuals.q99 ?? 1;
  }

  observe(model: string, rows: number, length: number, ms: number, ownMs?: number): void {
    const pace = this.#pace.factor;
    const workMs = ownMs ?? ms / pace;
    let learned = this.#models.get(model);
    if (!learned || isStrange(learned, workMs / learned.curve.ms(rows, length))) {
      learned = begin(LatencyCurve.ofCall(rows, length, workMs));
    }
    this.#putLast(model, learned);
    const ratio = ms / pace / learned.curve.ms(rows, length);
    learned.residuals.observe(ratio);
    learned.curve.observe(rows, length, workMs);
    learned.isFresh = true;
    learned.isOwn = ownMs !== undefined;
    learned.calls++;
    if (ownMs !== undefined) this.#pace.observe(ms / pace / Math.max(0.01, ownMs));
    else if (learned.calls > callsUntilKnown && learned.trial === null) this.#pace.observe(ratio);
  }

  #putLast(model: string, learned: Learned): void {
    this.#models.delete(model);
    this.#models.set(model, learned);
    const [oldest] = this.#models.keys();
    if (this.#models.size > modelsMax && oldest !== undefined) this.#models.delete(oldest);
  }

  /** What is worth keeping, of models that ran in this process. At the pace of now: the next process begins at 1. */
  memories(): Map<string, ModelMemory> {
    const memories = new Map<string, ModelMemory>();
    for (const [model, { curve, residuals, calls, isFresh, isOwn }] of this.#models) {
      const pace = isOwn ? 1 : this.#pace.factor;
      if (isFresh) memories.set(model, { curve: paced(curve.memory, pace), residuals: residuals.weights, calls });
    }
    return memories;
  }
}

function begin(curve: LatencyCurve): Learned {
  return { curve, residuals: new Residuals(), calls: 0, trial: null, isFresh: true, isOwn: false };
}

function recall({ curve, residuals, calls }: ModelMemory): Learned {
  const trial = { calls: 0, strange: 0 };
  return {
    curve: new LatencyCurve(curve),
    residuals: new Residuals(residuals),
    calls,
    trial,
    isFresh: false,
    isOwn: false,
  };
}

/** Whether this call shows that what is remembered is of something else. */
function isStrange(learned: Learned, ratio: number): boolean {
  const { trial } = learned;
  if (!trial) return false;
  trial.calls++;
  if (ratio > strangeFactor || ratio < 1 / strangeFactor) trial.strange++;
  if (trial.calls === callsOnTrial) learned.trial = null;
  return 2 * trial.strange > callsOnTrial;
}
