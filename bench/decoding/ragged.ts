/** The load of B6: texts that end at different lengths, settled beforehand so that every contender writes equally many. */
import type { Random } from '../simulator/random.ts';

/** Within starter-diagram's 96 positions, and evenly spread: a long tail would only help whoever refills. */
export const tokensMin = 8;
export const tokensMost = 60;

export function raggedTokens(random: Random): number {
  return tokensMin + Math.floor(random.next() * (tokensMost - tokensMin + 1));
}

/** Where the average token of such texts stands: what is in the cache when it is written. */
export function meanPosition(texts: readonly number[]): number {
  const tokens = texts.reduce((sum, length) => sum + length, 0);
  const before = texts.reduce((sum, length) => sum + (length * (length - 1)) / 2, 0);
  return before / tokens;
}
