/** How long the rows of a trace are. */
import type { Random } from './random.ts';

export type Lengths = (random: Random) => number;

/** Sentences. */
const short: Lengths = (random) => clip(Math.round(Math.exp(2.7 + 0.35 * random.normal())), 5, 64);

export const lengthMixes = {
  short,
  uniform16: () => 16,
  uniform64: () => 64,
  uniform256: () => 256,
  /** Mean 77 tokens, heavy tail. */
  lognormal: (random) => clip(Math.round(Math.exp(4 + 0.85 * random.normal())), 4, 256),
  /** 70 % sentences, 30 % documents of 256 tokens. */
  bimodal: (random) => (random.next() < 0.7 ? short(random) : 256),
} satisfies Record<string, Lengths>;

export type LengthMix = keyof typeof lengthMixes;

function clip(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
