/**
 * The ratio of two things measured on a noisy machine: blocks in ABBA order, one ratio per pair of neighbours, the median
 * with a bootstrap interval. Never a lone time: machines like this drift by 20 % within minutes.
 */

export interface Ratio {
  readonly median: number;
  /** 95 % bootstrap bounds of the median. */
  readonly low: number;
  readonly high: number;
  readonly pairs: readonly number[];
}

/** Runs `pairs` pairs of blocks, A first in every other one. Blocks return what is compared (higher or lower). */
export async function measurePairs<A extends number | object>(
  pairs: number,
  runA: () => Promise<A>,
  runB: () => Promise<A>,
  onPair: (a: A, b: A, pair: number) => void = () => {},
): Promise<{ a: A[]; b: A[] }> {
  const a: A[] = [];
  const b: A[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const [first, second] = pair % 2 === 0 ? [runA, runB] : [runB, runA];
    const one = await first();
    const two = await second();
    a.push(pair % 2 === 0 ? one : two);
    b.push(pair % 2 === 0 ? two : one);
    onPair(a[pair] as A, b[pair] as A, pair);
  }
  return { a, b };
}

/** Median of a[i] / b[i] with its bounds. */
export function ratioOf(a: readonly number[], b: readonly number[]): Ratio {
  const pairs = a.map((value, i) => value / (b[i] as number));
  const medians = Array.from({ length: 2000 }, (_, round) =>
    median(pairs.map((_, i) => pairs[pick(round, i, pairs.length)] as number)),
  );
  medians.sort((x, y) => x - y);
  return { median: median(pairs), low: medians[49] as number, high: medians[1949] as number, pairs };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Repeatable stand-in for a random index: the same pairs always give the same bounds. */
function pick(round: number, i: number, length: number): number {
  const x = Math.sin(round * 127.1 + i * 311.7) * 43_758.545;
  return Math.floor((x - Math.floor(x)) * length);
}
