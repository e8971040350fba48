/** Texts that end the writing: found while tokens come, and cut off in the end. Pure. */
import type { TextDecoding } from './text-decoding.ts';

/** A stop text has 64 characters at most and a token often one: enough of the end to hold it, whatever came before. */
const tailTokens = 96;

export function endsWithStop(written: readonly number[], stops: readonly string[], decoding: TextDecoding): boolean {
  const tail = decoding.decode(written.slice(-tailTokens));
  return stops.some((stop) => tail.includes(stop));
}

export function cutAtStop(text: string, stops: readonly string[]): string {
  const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}
