/**
 * That a server answers what the plain loop makes of the same text, before its speed counts: another model file, other
 * pooling, vectors that were not scaled or a text cut earlier would be another piece of work.
 */
import assert from 'node:assert/strict';
import { askOnce, type Caller } from './closed-loop.ts';
import type { PlainLoop } from './plain-loop-process.ts';
import { textMixes, textsOf } from './texts.ts';

/** fp32 in another order of sums moves the sixth decimal; a quantised file gives 0.97 or so. */
const distanceMax = 1e-3;
/** Of either mix: sentences and documents. */
const texts = 10;

export async function expectSameVectors(name: string, caller: Caller, loop: PlainLoop): Promise<void> {
  let farthest = 0;
  for (const mix of textMixes) {
    const text = textsOf(mix);
    for (let index = 0; index < texts; index++) {
      const theirs = (await askOnce(caller, text(index))) as readonly number[];
      farthest = Math.max(farthest, distance(theirs, await loop.vectorOf(text(index))));
    }
  }
  assert.ok(farthest <= distanceMax, `${name} answers other vectors than the plain loop: ${farthest} apart.`);
  console.log(`${name}: the plain loop's vectors, ${farthest.toExponential(1)} apart at most`);
}

function distance(a: readonly number[], b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Math.hypot(...a.map((value, at) => value - (b[at] as number)));
}
