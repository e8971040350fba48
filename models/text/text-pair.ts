/**
 * Two texts as one row of a cross-encoder: which special tokens stand around them, which segment each belongs to, and how
 * much of each stays when both are too long. Pure.
 */

/** What a post-processor puts around a pair. `types` are the segment ids of the five stretches in order. */
export interface PairFrame {
  readonly before: Int32Array;
  readonly between: Int32Array;
  readonly after: Int32Array;
  readonly types: {
    readonly before: Int32Array;
    readonly first: number;
    readonly between: Int32Array;
    readonly second: number;
    readonly after: Int32Array;
  };
}

export interface EncodedPair {
  readonly ids: Int32Array;
  readonly types: Int32Array;
}

export type PostProcess = (
  tokens: string[],
  pair: string[] | null,
  special: boolean,
) => { readonly tokens: string[]; readonly token_type_ids?: readonly number[] };

/** Two private characters stand for the texts: what is around them is the frame. */
const firstMark = '\u{f0000}';
const secondMark = '\u{f0001}';

/** @param postProcess null where the tokeniser has none: the texts then follow one another. */
export function readPairFrame(postProcess: PostProcess | null, idOf: (token: string) => number): PairFrame {
  const { tokens, token_type_ids } = postProcess?.([firstMark], [secondMark], true) ?? {
    tokens: [firstMark, secondMark],
  };
  const [first, second] = [tokens.indexOf(firstMark), tokens.indexOf(secondMark)];
  if (first < 0 || second < first) throw new Error('The post-processor of tokenizer.json makes no pairs of texts.');
  const ids = (from: number, to: number) => Int32Array.from(tokens.slice(from, to), idOf);
  const types = Int32Array.from(token_type_ids ?? tokens.map((_, at) => Number(at > first)));
  return {
    before: ids(0, first),
    between: ids(first + 1, second),
    after: ids(second + 1, tokens.length),
    types: {
      before: types.slice(0, first),
      first: types[first] ?? 0,
      between: types.slice(first + 1, second),
      second: types[second] ?? 0,
      after: types.slice(second + 1),
    },
  };
}

export function specialsOf({ before, between, after }: PairFrame): number {
  return before.length + between.length + after.length;
}

export function joinPair(frame: PairFrame, first: Int32Array, second: Int32Array): EncodedPair {
  const { before, between, after, types } = frame;
  const parts = [before, first, between, second, after];
  const kinds = [types.before, types.first, types.between, types.second, types.after];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const pair = { ids: new Int32Array(length), types: new Int32Array(length) };
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const kind = kinds[index] ?? 0;
    pair.ids.set(part, at);
    if (typeof kind === 'number') pair.types.fill(kind, at, at + part.length);
    else pair.types.set(kind, at);
    at += part.length;
  }
  return pair;
}

/**
 * How many tokens of each of two texts stay in `room`: the longer one gives until both are equal, as `longest_first` of
 * Hugging Face's tokenizers does it (the odd token goes to the longer).
 */
export function shareRoom(first: number, second: number, room: number): readonly [first: number, second: number] {
  if (first + second <= room) return [first, second];
  const shorter = Math.min(first, second);
  const half = Math.floor(room / 2);
  if (shorter <= half) return first <= second ? [first, room - first] : [room - second, second];
  return first <= second ? [half, room - half] : [room - half, half];
}
