/**
 * Greedy CTC: the best symbol of each frame, runs collapsed, blanks dropped, letters joined to words. Pure; frames in,
 * symbols with frame ranges out.
 */

/** A symbol and the frames of its run, end exclusive. */
export interface CtcSymbol {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

export interface CtcVocabulary {
  /** Symbol by id. */
  readonly symbols: readonly string[];
  readonly blank: number;
  /** Usually "|". */
  readonly delimiter: number;
  /** `<s>`, `<unk>` and the like: they are never written. */
  readonly silent: ReadonlySet<number>;
}

/** Best symbol per frame; `logits` is [frames, width]. */
export function bestSymbols(logits: Float32Array, width: number): Int32Array {
  const frames = Math.floor(logits.length / width);
  const best = new Int32Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    const base = frame * width;
    let index = 0;
    for (let at = 1; at < width; at++) if ((logits[base + at] ?? 0) > (logits[base + index] ?? 0)) index = at;
    best[frame] = index;
  }
  return best;
}

/** Runs of one symbol become one; a blank between two equal symbols keeps them apart. */
export function collapseRuns(best: Int32Array, blank: number): CtcSymbol[] {
  const symbols: CtcSymbol[] = [];
  for (let start = 0; start < best.length; ) {
    const id = best[start] ?? blank;
    let end = start + 1;
    while (end < best.length && best[end] === id) end++;
    if (id !== blank) symbols.push({ id, start, end });
    start = end;
  }
  return symbols;
}

export interface TimedText {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Written characters with frames; the delimiter is a space, none at the ends, none doubled. */
export function toCharacters(runs: readonly CtcSymbol[], vocabulary: CtcVocabulary): TimedText[] {
  const characters: TimedText[] = [];
  for (const { id, start, end } of runs) {
    if (vocabulary.silent.has(id)) continue;
    const text = id === vocabulary.delimiter ? ' ' : (vocabulary.symbols[id] ?? '');
    if (text === ' ' && (characters.length === 0 || characters.at(-1)?.text === ' ')) continue;
    if (text !== '') characters.push({ text, start, end });
  }
  if (characters.at(-1)?.text === ' ') characters.pop();
  return characters;
}

export function toWords(characters: readonly TimedText[]): TimedText[] {
  const words: TimedText[] = [];
  let word: TimedText | null = null;
  for (const character of characters) {
    if (character.text === ' ') {
      if (word) words.push(word);
      word = null;
    } else {
      word = word ? { text: word.text + character.text, start: word.start, end: character.end } : character;
    }
  }
  if (word) words.push(word);
  return words;
}
