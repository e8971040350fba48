/**
 * Two places where @huggingface/tokenizers 0.2.0 differs from the Rust tokenisers that models were trained with, put
 * right on the loaded objects, so that ids are the trained ones:
 *
 * - BertNormalizer looks at UTF-16 halves, so ideographs beyond the basic plane are not set apart.
 * - The Whitespace pre-tokeniser's `\w` is ASCII only, so "молоко," stays one piece where Rust makes two.
 */

import type { NormalizerLike } from './align-normalizer.ts';
import type { PreTokenizerConfig, PreTokenizerLike } from './align-pieces.ts';

/** The CJK blocks that BERT's own code lists. */
const ideograph =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

export function fixNormalizer(normalizer: NormalizerLike | null): void {
  for (const inner of normalizer?.normalizers ?? []) fixNormalizer(inner);
  const bert = normalizer as { tokenize_chinese_chars?: (text: string) => string } | null;
  if (bert?.tokenize_chinese_chars) bert.tokenize_chinese_chars = (text) => text.replace(ideograph, ' $& ');
}

/** Rust's `\w` and `\s`. */
const wordOrSigns =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;

export function fixPreTokenizer(preTokenizer: PreTokenizerLike | null, config: PreTokenizerConfig): void {
  if (preTokenizer === null || config === null) return;
  const configs = (config['pretokenizers'] ?? []) as readonly PreTokenizerConfig[];
  for (const [at, inner] of (preTokenizer.tokenizers ?? []).entries()) fixPreTokenizer(inner, configs[at] ?? null);
  if (config['type'] !== 'Whitespace') return;
  preTokenizer.pre_tokenize_text = (text) => text.match(wordOrSigns) ?? [];
}
