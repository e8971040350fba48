/**
 * Carries alignment through a tokeniser's pre-tokeniser: one aligned text becomes several pieces. As with normalisers,
 * the pieces are the library's own; here they are only found again in the text.
 */

import { prependAligned } from './align-normalizer.ts';
import { type AlignedText, AlignedTextBuilder, codePointWidth, replaceAligned, sliceAligned } from './aligned-text.ts';

/** What this needs of a pre-tokeniser of @huggingface/tokenizers, beside its part of tokenizer.json. */
export interface PreTokenizerLike {
  readonly tokenizers?: readonly (PreTokenizerLike | null)[];
  readonly pattern?: RegExp | null;
  pre_tokenize_text(text: string, options?: { section_index?: number }): string[];
}

export type PreTokenizerConfig = Readonly<Record<string, unknown>> | null;

/** @param section position among the stretches between added tokens: Metaspace may prepend on the first only. */
export function splitAligned(
  preTokenizer: PreTokenizerLike | null,
  config: PreTokenizerConfig,
  aligned: AlignedText,
  section: number,
): AlignedText[] {
  if (preTokenizer === null || config === null) return [aligned];
  if (preTokenizer.tokenizers) {
    const configs = (config['pretokenizers'] ?? []) as readonly PreTokenizerConfig[];
    return preTokenizer.tokenizers.reduce<AlignedText[]>(
      (pieces, inner, at) => pieces.flatMap((piece) => splitAligned(inner, configs[at] ?? null, piece, section)),
      [aligned],
    );
  }
  const pieces = preTokenizer.pre_tokenize_text(aligned.text, { section_index: section });
  return locate(config, preTokenizer, aligned, pieces);
}

function locate(
  config: Readonly<Record<string, unknown>>,
  preTokenizer: PreTokenizerLike,
  aligned: AlignedText,
  pieces: readonly string[],
): AlignedText[] {
  switch (config['type']) {
    case 'ByteLevel':
      return locateBytes(aligned, pieces);
    case 'Metaspace':
      return locateInside(followMetaspace(config, aligned, pieces.join('')), pieces);
    case 'Replace': {
      if (!preTokenizer.pattern) return [aligned];
      return locateInside(replaceAligned(aligned, preTokenizer.pattern, String(config['content'] ?? '')), pieces);
    }
    default:
      return locateInside(aligned, pieces);
  }
}

function followMetaspace(config: Readonly<Record<string, unknown>>, aligned: AlignedText, out: string): AlignedText {
  const mark = String(config['str_rep'] || config['replacement'] || '▁');
  const replaced = replaceAligned(aligned, / /g, mark);
  return replaced.text === out ? replaced : prependAligned(replaced, mark);
}

/** Pieces are slices of the text, in order; what lies between was dropped (spaces, mostly). */
function locateInside(aligned: AlignedText, pieces: readonly string[]): AlignedText[] {
  let at = 0;
  return pieces.map((piece) => {
    const from = aligned.text.indexOf(piece, at);
    if (from < 0) return standFor(aligned, at, piece);
    at = from + piece.length;
    return sliceAligned(aligned, from, at);
  });
}

/** A piece that is no slice (no known pre-tokeniser does this) stands for all that is left: coarse, never wrong. */
function standFor(aligned: AlignedText, at: number, piece: string): AlignedText {
  const builder = new AlignedTextBuilder(aligned);
  builder.replace(at, aligned.text.length, piece);
  return builder.finish();
}

/** Byte-level pieces have one unit per UTF-8 byte; a space may have been put before the text. */
function locateBytes(aligned: AlignedText, pieces: readonly string[]): AlignedText[] {
  const builder = new AlignedTextBuilder(aligned);
  const units = pieces.join('');
  let unit = units.length - Buffer.byteLength(aligned.text);
  if (unit > 0) builder.replace(0, 0, units.slice(0, unit));
  for (let at = 0; at < aligned.text.length; ) {
    const width = codePointWidth(aligned.text, at);
    const bytes = Buffer.byteLength(aligned.text.slice(at, at + width));
    builder.replace(at, at + width, units.slice(unit, unit + bytes));
    unit += bytes;
    at += width;
  }
  return locateInside(builder.finish(), pieces);
}
