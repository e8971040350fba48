/**
 * What Whisper may write next: the tokens that are forced first, those that are suppressed, and the order that
 * timestamps keep, as in transformers' logits processors and openai/whisper's decoding.py. Pure.
 */
import type { SpecialTokens } from './special-tokens.ts';

/** One token, or the likeliest of several: a language that is to be detected. */
export type ForcedToken = number | { readonly anyOf: readonly number[] };

export interface DecodingRules {
  readonly tokens: SpecialTokens;
  /** Written first, whatever the model says; all rules below count from behind them. */
  readonly forced: readonly ForcedToken[];
  readonly hasTimestamps: boolean;
  readonly suppressed: readonly number[];
  /** Suppressed as the first token only: a space, the end. */
  readonly suppressedFirst: readonly number[];
  /** The latest that the first timestamp may be, in steps; null for any. */
  readonly firstTimestampMax: number | null;
}

const never = Number.NEGATIVE_INFINITY;

/** `written` begins with the forced tokens. Changes `logits` in place. */
export function constrainLogits(rules: DecodingRules, logits: Float32Array, written: readonly number[]): void {
  const forced = rules.forced[written.length];
  if (forced !== undefined) {
    keepOnly(logits, typeof forced === 'number' ? forced : likeliest(logits, forced.anyOf));
    return;
  }
  const own = written.slice(rules.forced.length);
  for (const id of rules.suppressed) logits[id] = never;
  if (own.length === 0) for (const id of rules.suppressedFirst) logits[id] = never;
  if (rules.hasTimestamps) constrainTimestamps(rules, logits, own);
}

function keepOnly(logits: Float32Array, id: number): void {
  logits.fill(never);
  logits[id] = 0;
}

/** The first of equals, as argmax. */
export function likeliest(logits: Float32Array, ids: readonly number[]): number {
  return ids.reduce((best, id) => ((logits[id] ?? never) > (logits[best] ?? never) ? id : best), ids[0] ?? 0);
}

function constrainTimestamps(rules: DecodingRules, logits: Float32Array, own: readonly number[]): void {
  const { end, firstTimestamp, noTimestamps } = rules.tokens;
  const isTimestamp = (id: number | undefined) => id !== undefined && id >= firstTimestamp;
  logits[noTimestamps] = never;
  // They come in pairs, the end of one segment and the start of the next; the end of the text may stand for a start.
  const afterOne = isTimestamp(own.at(-1));
  const afterPair = afterOne && (own.length < 2 || isTimestamp(own.at(-2)));
  if (afterPair) logits.fill(never, firstTimestamp);
  else if (afterOne) logits.fill(never, 0, end);
  const last = own.findLast(isTimestamp);
  // Time does not run backwards; and a segment has a length, so that its end is later than its start.
  if (last !== undefined) logits.fill(never, firstTimestamp, afterOne && !afterPair ? last : last + 1);
  if (own.length === 0) {
    logits.fill(never, 0, firstTimestamp);
    if (rules.firstTimestampMax !== null) logits.fill(never, firstTimestamp + rules.firstTimestampMax + 1);
  }
  preferTimestamps(logits, firstTimestamp);
}

/** When all timestamps together are likelier than any one text token, it is time for one. */
function preferTimestamps(logits: Float32Array, firstTimestamp: number): void {
  let text = never;
  for (let id = 0; id < firstTimestamp; id++) text = Math.max(text, logits[id] as number);
  let top = never;
  for (let id = firstTimestamp; id < logits.length; id++) top = Math.max(top, logits[id] as number);
  if (top === never) return;
  let sum = 0;
  for (let id = firstTimestamp; id < logits.length; id++) sum += Math.exp((logits[id] as number) - top);
  if (top + Math.log(sum) > text) logits.fill(never, 0, firstTimestamp);
}
