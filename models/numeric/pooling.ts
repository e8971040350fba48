/**
 * Hidden states of one text's tokens to one vector, and its length. Pure; `hidden` is [tokens, width], row-major,
 * without padding.
 */
export const poolingModes = ['mean', 'cls', 'last', 'max', 'mean-sqrt-length'] as const;
export type PoolingMode = (typeof poolingModes)[number];

export function pool(hidden: Float32Array, width: number, mode: PoolingMode): Float32Array {
  const tokens = hidden.length / width;
  switch (mode) {
    case 'cls':
      return hidden.slice(0, width);
    case 'last':
      return hidden.slice((tokens - 1) * width);
    case 'max':
      return maxOf(hidden, width, tokens);
    case 'mean':
      return sumOf(hidden, width, tokens, tokens);
    case 'mean-sqrt-length':
      return sumOf(hidden, width, tokens, Math.sqrt(tokens));
  }
}

/** Sums in float64: at 8,192 tokens float32 loses the fifth digit. */
function sumOf(hidden: Float32Array, width: number, tokens: number, divisor: number): Float32Array {
  const sums = new Float64Array(width);
  for (let token = 0; token < tokens; token++) {
    const base = token * width;
    for (let at = 0; at < width; at++) sums[at] = (sums[at] ?? 0) + (hidden[base + at] ?? 0);
  }
  return Float32Array.from(sums, (sum) => sum / divisor);
}

function maxOf(hidden: Float32Array, width: number, tokens: number): Float32Array {
  const result = hidden.slice(0, width);
  for (let token = 1; token < tokens; token++) {
    for (let at = 0; at < width; at++) result[at] = Math.max(result[at] ?? 0, hidden[token * width + at] ?? 0);
  }
  return result;
}

/** To unit length; a zero vector stays zero. */
export function normalizeLength(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.max(Math.sqrt(squares), 1e-12);
  return vector.map((value) => value / length);
}
