/**
 * Finds a piece's tokens in the piece again, whatever the model made of it: WordPiece ("##ing"), BPE ("</w>", bytes),
 * Unigram, characters, unknown words. Pure.
 */
import type { AlignedText } from './aligned-text.ts';
import { codePointWidth } from './aligned-text.ts';

/** How a model marks tokens that are not a plain slice of the piece. */
export interface TokenMarks {
  /** WordPiece's "##". */
  readonly continuingPrefix: string;
  /** BPE's "</w>" or "@@". */
  readonly suffixes: readonly string[];
  readonly unknown: string | undefined;
  /** True where an unknown piece becomes one token (WordPiece, word level), false where a character does (BPE). */
  readonly isUnknownWhole: boolean;
}

/** Stretch of the source that one token stands for. */
export interface TokenRange {
  readonly token: string;
  readonly start: number;
  readonly end: number;
}

export function locateTokens(piece: AlignedText, tokens: readonly string[], marks: TokenMarks): TokenRange[] {
  const { text } = piece;
  let at = 0;
  let pendingBytes = 0;
  return tokens.map((token) => {
    const from = at;
    const surface = findSurface(token, text, at, marks);
    if (surface !== null && surface > 0) {
      at += surface;
      return rangeOf(piece, from, at, token);
    }
    if (/^<0x[0-9A-F]{2}>$/.test(token) && at < text.length) {
      // Byte fallback: the character's bytes are tokens of their own, each standing for the character.
      const width = codePointWidth(text, at);
      pendingBytes = pendingBytes || Buffer.byteLength(text.slice(at, at + width));
      pendingBytes -= 1;
      if (pendingBytes === 0) at += width;
      return rangeOf(piece, from, from + width, token);
    }
    const isWhole = marks.isUnknownWhole && tokens.length === 1;
    at = isWhole ? text.length : Math.min(text.length, at + (at < text.length ? codePointWidth(text, at) : 0));
    return rangeOf(piece, from, at, token);
  });
}

/** Length of the token's own text when it stands at `at`, else null. */
function findSurface(token: string, text: string, at: number, marks: TokenMarks): number | null {
  if (token === marks.unknown) return null;
  if (text.startsWith(token, at)) return token.length;
  const { continuingPrefix, suffixes } = marks;
  let bare = token;
  if (continuingPrefix !== '' && at > 0 && bare.startsWith(continuingPrefix))
    bare = bare.slice(continuingPrefix.length);
  if (text.startsWith(bare, at)) return bare.length;
  for (const suffix of suffixes) if (bare.endsWith(suffix)) bare = bare.slice(0, -suffix.length);
  return text.startsWith(bare, at) ? bare.length : null;
}

/** Stretch behind units `from..to`; an empty range is an empty stretch where it stands. */
function rangeOf(piece: AlignedText, from: number, to: number, token: string): TokenRange {
  const { starts, ends, text } = piece;
  if (from >= to) {
    const at = from < text.length ? (starts[from] ?? 0) : (ends[text.length - 1] ?? 0);
    return { token, start: at, end: at };
  }
  const start = starts[from] ?? 0;
  return { token, start, end: Math.max(start, ends[to - 1] ?? start) };
}
