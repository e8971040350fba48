/**
 * What a call costs, learned online per model: t(n, L) = a + b*nL + c*nL^2, fitted on the relative error with forgetting,
 * times a correction per size bucket that catches what the curve can not (cache cliffs, narrow kernels).
 * Source: batch latency follows padded tokens, not rows: mean error 63 % for a + b*n, 13 % for a + b*nL, 9 % with c.
 *
 * The fit is ridge regression on decayed sums, by coordinate descent with coefficients >= 0. Recursive least squares is
 * the usual choice and blew up here: with images every row has length 1, b and c are one feature, and the covariance
 * grows without end (a prediction of 43,000 s was seen).
 */
import type { CostModel } from './policy.ts';

/** An old observation weighs half after 35 calls: a stolen core or a new length mix is followed within seconds. */
const forgetting = 0.98;
/** Pull towards the prior, in observations: enough to settle what the data leaves open, too little to bend what it says. */
const ridge = 0.05;
const descentRounds = 20;
const correctionRate = 0.2;

type Triple = [number, number, number];

interface Fit {
  /** a, b, c of the scaled features [1, P, nL^2]. */
  theta: Triple;
  readonly prior: Triple;
  /** Makes every feature 1 at the first call seen. */
  readonly scale: Triple;
  /** Decayed sums of x*x' and x*1, with x divided by the measured time. */
  readonly squares: [Triple, Triple, Triple];
  readonly sums: Triple;
  readonly corrections: Map<number, number>;
}

export class LearnedCostModel implements CostModel {
  readonly #fits = new Map<string, Fit>();

  predictMs(model: string, rows: number, length: number): number {
    const fit = this.#fits.get(model);
    if (!fit) return 10 * rows; // Nothing known: rows cost alike, so nothing speaks for or against joining.
    return Math.max(0.01, curveMs(fit, rows, length) * (fit.corrections.get(bucketOf(rows * length)) ?? 1));
  }

  observe(model: string, rows: number, length: number, ms: number): void {
    let fit = this.#fits.get(model);
    if (!fit) {
      fit = firstFit(rows, length, ms);
      this.#fits.set(model, fit);
    }
    const expected = Math.max(0.01, curveMs(fit, rows, length));
    // A spike (page fault, stolen core) does not bend the curve: the relative error gives it the weight of its inverse square.
    const seen = Math.max(0.01, ms);
    const bucket = bucketOf(rows * length);
    const correction = fit.corrections.get(bucket) ?? 1;
    fit.corrections.set(bucket, correction + correctionRate * (clamp(seen / expected, 0.5, 2) - correction));
    absorb(fit, rows, length, seen);
  }
}

/** The first call tells only a sum: one tenth is taken as fixed, the rest as proportional to padded units. */
function firstFit(rows: number, length: number, ms: number): Fit {
  const prior: Triple = [0.1 * ms, 0.9 * ms, 0];
  return {
    theta: [...prior],
    prior,
    scale: [1, 1 / (rows * length), 1 / (rows * length * length)],
    squares: [
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ],
    sums: [0, 0, 0],
    corrections: new Map(),
  };
}

/** Written out: a partition asks some thousand times per call. */
function curveMs({ theta: [a, b, c], scale }: Fit, rows: number, length: number): number {
  const padded = rows * length;
  return a + b * padded * scale[1] + c * padded * length * scale[2];
}

function absorb(fit: Fit, rows: number, length: number, ms: number): void {
  const padded = rows * length;
  const x: Triple = [1 / ms, (padded * fit.scale[1]) / ms, (padded * length * fit.scale[2]) / ms];
  for (const i of [0, 1, 2] as const) {
    for (const j of [0, 1, 2] as const) fit.squares[i][j] = forgetting * fit.squares[i][j] + x[i] * x[j];
    fit.sums[i] = forgetting * fit.sums[i] + x[i];
  }
  const typical = fit.prior[0] + fit.prior[1];
  const pull = ridge / (typical * typical);
  for (let round = 0; round < descentRounds; round++) {
    for (const i of [0, 1, 2] as const) {
      const others = fit.squares[i].reduce((sum, value, j) => (j === i ? sum : sum + value * (fit.theta[j] ?? 0)), 0);
      fit.theta[i] = Math.max(0, (fit.sums[i] + pull * fit.prior[i] - others) / (fit.squares[i][i] + pull));
    }
  }
}

/** Half octaves of the padded size. */
function bucketOf(padded: number): number {
  return Math.round(2 * Math.log2(Math.max(1, padded)));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
