/**
 * What one model's calls cost, as plain data that outlives the process: a curve, its residuals, how many calls it saw.
 * What is read back is trusted less than what is seen: it may be of a bad day, or of a machine that only looks the same. Pure.
 */
import { z } from 'zod';
import type { CurveMemory, Triple } from '../latency-curve.ts';

/** Those that ran last are kept: every change of a model's files makes a new one. 10 KB each at most. */
export const modelsMax = 128;
/** Of the weight that calls had: 50 calls' worth instead of the 200 that count in the long run, outvoted by 30 new ones. */
const keptShare = 0.25;
/** As many as there are buckets. */
const correctionsMax = 4096;
const binsMax = 64;

const finite = z.number().finite();
const triple = z.tuple([finite, finite, finite]);
const above = z.number().positive().finite();

export const modelMemory = z.object({
  curve: z.object({
    theta: triple,
    prior: triple,
    scale: z.tuple([above, above, above]),
    squares: z.tuple([triple, triple, triple]),
    sums: triple,
    corrections: z.array(z.tuple([z.number().int().min(0).lt(correctionsMax), above])).max(correctionsMax),
  }),
  residuals: z.array(z.number().nonnegative().finite()).max(binsMax),
  calls: z.number().int().nonnegative(),
});

export interface ModelMemory {
  readonly curve: CurveMemory;
  /** Weights of the bins. */
  readonly residuals: readonly number[];
  readonly calls: number;
}

/** As a device sees it whose calls take `factor` times as long. */
export function paced(curve: CurveMemory, factor: number): CurveMemory {
  const [a, b, c] = curve.squares;
  return {
    ...curve,
    theta: times(curve.theta, factor),
    prior: times(curve.prior, factor),
    squares: [times(a, factor ** -2), times(b, factor ** -2), times(c, factor ** -2)],
    sums: times(curve.sums, 1 / factor),
  };
}

/** What an earlier process knew, with the weight that it has for this one. */
export function discount({ curve, residuals, calls }: ModelMemory): ModelMemory {
  const [a, b, c] = curve.squares;
  return {
    curve: {
      ...curve,
      // What was fitted is what to come back to where new calls leave something open.
      prior: curve.theta,
      squares: [times(a, keptShare), times(b, keptShare), times(c, keptShare)],
      sums: times(curve.sums, keptShare),
    },
    residuals: residuals.map((weight) => weight * keptShare),
    calls,
  };
}

function times([a, b, c]: Readonly<Triple>, factor: number): Triple {
  return [a * factor, b * factor, c * factor];
}
