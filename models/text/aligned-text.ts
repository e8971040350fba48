/**
 * A text that remembers, for each of its UTF-16 units, which stretch of the source it came from. Normalisers and
 * pre-tokenisers change texts; carrying the stretch along is what makes offsets exact in any script. Pure.
 *
 * A stretch never cuts a code point, starts never decrease, and an inserted unit has an empty stretch.
 */
export interface AlignedText {
  readonly text: string;
  /** UTF-16 positions in the source, one per unit of `text`. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** A source text aligned to itself; both halves of a surrogate pair stand for the whole pair. */
export function alignSource(text: string): AlignedText {
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  for (let at = 0; at < text.length; ) {
    const width = codePointWidth(text, at);
    for (let unit = at; unit < at + width; unit++) {
      starts[unit] = at;
      ends[unit] = at + width;
    }
    at += width;
  }
  return { text, starts, ends };
}

export function codePointWidth(text: string, at: number): 1 | 2 {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

export function sliceAligned(aligned: AlignedText, from: number, to: number): AlignedText {
  if (from === 0 && to === aligned.text.length) return aligned;
  return {
    text: aligned.text.slice(from, to),
    starts: aligned.starts.subarray(from, to),
    ends: aligned.ends.subarray(from, to),
  };
}

/** Builds an aligned text from an older one, piece by piece, in order. */
export class AlignedTextBuilder {
  readonly #source: AlignedText;
  readonly #texts: string[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  constructor(source: AlignedText) {
    this.#source = source;
  }

  /** Units `from..to` of the source, unchanged. */
  keep(from: number, to: number): void {
    this.#texts.push(this.#source.text.slice(from, to));
    for (let unit = from; unit < to; unit++) {
      this.#starts.push(this.#source.starts[unit] ?? 0);
      this.#ends.push(this.#source.ends[unit] ?? 0);
    }
  }

  /** `text` in place of units `from..to`; an empty range inserts. */
  replace(from: number, to: number, text: string): void {
    const { starts, ends } = this.#source;
    const at = from < to || from === 0 ? (starts[from] ?? 0) : (ends[from - 1] ?? 0);
    const end = from < to ? (ends[to - 1] ?? at) : at;
    this.#texts.push(text);
    for (let unit = 0; unit < text.length; unit++) {
      this.#starts.push(at);
      this.#ends.push(end);
    }
  }

  finish(): AlignedText {
    return { text: this.#texts.join(''), starts: Int32Array.from(this.#starts), ends: Int32Array.from(this.#ends) };
  }
}

/** Replaces every match of `pattern` (global) by `content`. */
export function replaceAligned(aligned: AlignedText, pattern: RegExp, content: string): AlignedText {
  const builder = new AlignedTextBuilder(aligned);
  let at = 0;
  for (const match of aligned.text.matchAll(pattern)) {
    builder.keep(at, match.index);
    at = match.index + match[0].length;
    builder.replace(match.index, at, content);
  }
  builder.keep(at, aligned.text.length);
  return builder.finish();
}
