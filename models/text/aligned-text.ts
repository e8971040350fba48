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

/** Builds an aligned text from an older one, stretch by stretch, in order. */
export class AlignedTextBuilder {
  readonly #source: AlignedText;
  readonly #texts: string[] = [];
  /** Of each text: from and to of the units that are kept, or of what all of its units stand for, which is then negative. */
  readonly #ranges: number[] = [];
  #length = 0;

  constructor(source: AlignedText) {
    this.#source = source;
  }

  /** Units `from..to` of the source, unchanged. */
  keep(from: number, to: number): void {
    if (from < to) this.#push(this.#source.text.slice(from, to), from, to);
  }

  /** `text` in place of units `from..to`; an empty range inserts. */
  replace(from: number, to: number, text: string): void {
    const { starts, ends } = this.#source;
    const at = from < to || from === 0 ? (starts[from] ?? 0) : (ends[from - 1] ?? 0);
    const end = from < to ? (ends[to - 1] ?? at) : at;
    if (text !== '') this.#push(text, -1 - at, -1 - end);
  }

  finish(): AlignedText {
    const [starts, ends] = [new Int32Array(this.#length), new Int32Array(this.#length)];
    let at = 0;
    for (const [index, text] of this.#texts.entries()) {
      const [from = 0, to = 0] = [this.#ranges[2 * index], this.#ranges[2 * index + 1]];
      const next = at + text.length;
      if (from >= 0) {
        starts.set(this.#source.starts.subarray(from, to), at);
        ends.set(this.#source.ends.subarray(from, to), at);
      } else {
        starts.fill(-1 - from, at, next);
        ends.fill(-1 - to, at, next);
      }
      at = next;
    }
    return { text: this.#texts.join(''), starts, ends };
  }

  #push(text: string, from: number, to: number): void {
    this.#texts.push(text);
    this.#ranges.push(from, to);
    this.#length += text.length;
  }
}
