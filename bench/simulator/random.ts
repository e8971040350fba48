/** Repeatable randomness: the same seed gives the same trace, so that policies are raced on one and the same. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Waiting times of a Poisson process with this mean. */
  exponential(mean: number): number;
  /** Standard normal. */
  normal(): number;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  // mulberry32: 2^32 states are enough for traces of a few million draws.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    exponential: (mean) => -mean * Math.log(1 - next()),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}
