/**
 * The weights of one axis, as convolve.wat reads them: for each place of the output where its source begins, and what each
 * source pixel counts, in whole numbers of 22 bits after the point, rounded as Pillow rounds them. Pure.
 */
import assert from 'node:assert/strict';
import type { Kernel } from './resampling-filters.ts';

/** The places `start` to `start + length` of the `target` places that `source` pixels become. */
export interface Axis {
  readonly source: number;
  readonly target: number;
  readonly start: number;
  readonly length: number;
}

export interface ConvolutionTable {
  readonly axis: Axis;
  readonly kernel: Kernel;
  /** Bytes from one source pixel to the next. */
  readonly pixelBytes: number;
  /** Weights are filled up with zeros to a multiple of what the module takes in one step. */
  readonly tapsPerStep: number;
}

/** Of 32 bits 8 are a pixel's, and 2 headroom. */
const one = 2 ** 22;
const headWords = 2;

/** As many source pixels as one place sees at most. */
export function tapsMax({ axis, kernel }: ConvolutionTable): number {
  return Math.ceil(kernel.support * Math.max(axis.source / axis.target, 1)) * 2 + 1;
}

/** Words of 32 bits from one place's record to the next. */
export function recordWords(table: ConvolutionTable): number {
  return headWords + roundUp(tapsMax(table), table.tapsPerStep);
}

export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** A record is [byte that the source begins at, bytes of weights, weights...]. */
export function writeTable(words: Int32Array, table: ConvolutionTable): void {
  const { axis, kernel, pixelBytes, tapsPerStep } = table;
  const scale = axis.source / axis.target;
  const spread = Math.max(scale, 1);
  const support = kernel.support * spread;
  const weights = new Float64Array(tapsMax(table));
  const size = recordWords(table);
  words.fill(0);
  for (let index = 0; index < axis.length; index++) {
    const center = (axis.start + index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const taps = Math.min(axis.source, Math.trunc(center + support + 0.5)) - first;
    assert.ok(taps >= 1 && taps <= weights.length);
    const record = index * size;
    words[record] = first * pixelBytes;
    words[record + 1] = roundUp(taps, tapsPerStep) * 4;
    let total = 0;
    for (let tap = 0; tap < taps; tap++) {
      const weight = kernel.weigh((first + tap - center + 0.5) / spread);
      weights[tap] = weight;
      total += weight;
    }
    for (let tap = 0; tap < taps; tap++) {
      const share = (weights[tap] as number) / (total === 0 ? 1 : total);
      words[record + headWords + tap] = Math.trunc(share * one + (share < 0 ? -0.5 : 0.5));
    }
  }
}
