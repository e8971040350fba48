/** What normalisers and pre-tokenisers are made from: a part of tokenizer.json, and the library's reading of its patterns. */

export type StepConfig = Readonly<Record<string, unknown>> & { readonly type: string };

/** A `pattern` of tokenizer.json ({String} or {Regex}, in Oniguruma's language) as a global expression. */
export type CompilePattern = (pattern: unknown) => RegExp;

export function unknownStep(kind: 'normalizer' | 'pre_tokenizer', { type }: StepConfig): Error {
  return new Error(`tokenizer.json names the ${kind} ${type}, which is not known here.`);
}
