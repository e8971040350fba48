/**
 * The constraints that generation configs know, as one function for `SequenceStart.constrain`: suppressed and forced
 * tokens, least length, no repeated n-grams, repetition penalty; in the order in which transformers applies them. Pure.
 */
import type { LogitsRules } from './read-defaults.ts';

const forbidden = Number.NEGATIVE_INFINITY;

export interface RulesAround {
  readonly promptIds: readonly number[];
  readonly stopIds: readonly number[];
  readonly tokensMax: number;
}

/** Undefined when there is nothing to change. */
export function constraintOf(
  rules: LogitsRules,
  { promptIds, stopIds, tokensMax }: RulesAround,
): ((logits: Float32Array, written: readonly number[]) => void) | undefined {
  const { suppressed, suppressedAtBegin, forcedFirst, forcedLast, tokensMin, noRepeatNgram, repetitionPenalty } = rules;
  const isPlain = suppressed.length + suppressedAtBegin.length + forcedLast.length + tokensMin + noRepeatNgram === 0;
  if (isPlain && forcedFirst === null && repetitionPenalty === 1) return undefined;
  return (logits, written) => {
    const whole = [...promptIds, ...written];
    if (repetitionPenalty !== 1) penalize(logits, whole, repetitionPenalty);
    if (noRepeatNgram > 0) forbid(logits, repeatsOf(whole, noRepeatNgram));
    if (written.length < tokensMin) forbid(logits, stopIds);
    forbid(logits, suppressed);
    if (written.length === 0) forbid(logits, suppressedAtBegin);
    if (written.length === 0 && forcedFirst !== null) force(logits, [forcedFirst]);
    if (written.length === tokensMax - 1 && forcedLast.length > 0) force(logits, forcedLast);
  };
}

function forbid(logits: Float32Array, ids: readonly number[]): void {
  for (const id of ids) if (id < logits.length) logits[id] = forbidden;
}

function force(logits: Float32Array, ids: readonly number[]): void {
  logits.fill(forbidden);
  for (const id of ids) logits[id] = 0;
}

function penalize(logits: Float32Array, whole: readonly number[], penalty: number): void {
  for (const id of new Set(whole)) {
    const logit = logits[id] ?? 0;
    logits[id] = logit < 0 ? logit * penalty : logit / penalty;
  }
}

/** Tokens that would make an n-gram for the second time. */
export function repeatsOf(whole: readonly number[], size: number): number[] {
  const begin = whole.length - size + 1;
  if (begin < 0) return [];
  const tail = whole.slice(begin);
  const repeats: number[] = [];
  for (let at = 0; at + size <= whole.length; at++)
    if (tail.every((id, offset) => whole[at + offset] === id)) repeats.push(whole[at + size - 1] as number);
  return repeats;
}
