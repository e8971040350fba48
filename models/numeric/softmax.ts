/**
 * Logits to scores. Stable for any finite input; callers check that input is finite. Pure.
 */

/** exp(x - max), so that no exponential overflows. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  let max = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < logits.length; index++) max = Math.max(max, logits[index] ?? max);
  const scores = new Float64Array(logits.length);
  let sum = 0;
  for (let index = 0; index < scores.length; index++) {
    const value = Math.exp((logits[index] ?? 0) - max);
    scores[index] = value;
    sum += value;
  }
  for (let index = 0; index < scores.length; index++) scores[index] = (scores[index] ?? 0) / sum;
  return scores;
}

export function sigmoid(logits: ArrayLike<number>): Float64Array {
  return Float64Array.from(logits, (value) => 1 / (1 + Math.exp(-value)));
}

/** Index of the first greatest value; -1 for none. */
export function argmax(values: ArrayLike<number>): number {
  let best = -1;
  for (let index = 0; index < values.length; index++) {
    if (best < 0 || (values[index] ?? 0) > (values[best] ?? 0)) best = index;
  }
  return best;
}

export function isFiniteAll(values: Float32Array): boolean {
  // One pass of sums would miss inf - inf; a test per value costs 1 us per 1,000.
  for (let index = 0; index < values.length; index++) if (!Number.isFinite(values[index])) return false;
  return true;
}

/** Five decimals: float32 carries seven, and the last two move with the shape of a batch. */
export function roundScore(score: number): number {
  return Math.round(score * 1e5) / 1e5;
}
