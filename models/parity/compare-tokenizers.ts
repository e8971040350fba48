/**
 * Holds our encodings against those of the Python package tokenizers, as reference/tokenizer_cases.py wrote them: ids and
 * words must be equal, and offsets too, save where ours tell more (see `isAllowed`). Test code only.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { createTokenizer, type TextTokenizer } from '../text/tokenizer.ts';

/** Text, ids, offsets (start and end in turn, in code points), words (null for special tokens). */
type Case = readonly [
  text: string,
  ids: readonly number[],
  offsets: readonly number[],
  words: readonly (number | null)[],
];

interface Reference {
  readonly tables: Readonly<Record<string, string>>;
  /** Characters that stand for themselves, byte by byte, where no case says otherwise. */
  readonly points: readonly string[] | null;
  readonly tokenizers: readonly {
    readonly name: string;
    readonly tokenizer: Readonly<Record<string, unknown>>;
    readonly cases: readonly Case[];
  }[];
}

export interface TokenizerParity {
  readonly name: string;
  readonly texts: number;
  /** Texts of which some offset tells more than Python's. */
  readonly wider: number;
  readonly faults: readonly string[];
}

export function compareTokenizers(path: string): TokenizerParity[] {
  const { tables, points, tokenizers } = JSON.parse(gunzipSync(readFileSync(path)).toString()) as Reference;
  return tokenizers.map(({ name, tokenizer, cases }) => {
    // Tables stand by name, since many tokenisers have them.
    const json = JSON.stringify(tokenizer, (key, value) =>
      key === 'precompiled_charsmap' ? (tables[String(value)] ?? value) : value,
    );
    const own = createTokenizer(JSON.parse(json), {});
    const listed = new Set(cases.map(([text]) => text));
    const plain = (points ?? []).filter((point) => !listed.has(point)).map(plainCase);
    const judged = [...cases, ...plain].map((one) => judge(own, one));
    return {
      name,
      texts: judged.length,
      wider: judged.filter(({ isWider }) => isWider).length,
      faults: judged.flatMap(({ fault }) => (fault ? [fault] : [])),
    };
  });
}

function plainCase(point: string): Case {
  const ids = [...Buffer.from(point)];
  return [point, ids, ids.flatMap(() => [0, 1]), ids.map(() => 0)];
}

function judge(tokenizer: TextTokenizer, [text, ids, offsets, words]: Case): { fault?: string; isWider: boolean } {
  const own = tokenizer.encodeAligned(text);
  const where = JSON.stringify(text).replace(
    /[^ -~]/gu,
    (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`,
  );
  for (const [what, given, wanted] of [
    ['ids', tokenizer.encode(text), ids],
    ['ids with offsets', own.ids, ids],
    ['words', own.words, words.map((word) => word ?? -1)],
  ] as const) {
    if (given.join() !== wanted.join())
      return { fault: `${where}: ${what} ${given.join()}, Python has ${wanted.join()}`, isWider: false };
  }
  // Where a control character is dropped, Rust moves what is before or behind it by one.
  if (/[^\P{Cc}\t\n\r]/u.test(text)) return { isWider: false };
  const points = [...text];
  const ranges = words.map((_, at) => [offsets[2 * at] ?? 0, offsets[2 * at + 1] ?? 0] as const);
  let isWider = false;
  for (const [at, word] of words.entries()) {
    if (word === null) continue;
    const given = [pointAt(text, own.starts[at] ?? 0), pointAt(text, own.ends[at] ?? 0)] as const;
    const [from, to] = ranges[at] ?? [0, 0];
    if (given[0] === from && given[1] === to) continue;
    if (!isAllowed(points, given, ranges, at))
      return { fault: `${where}: token ${at} at ${given}, Python has ${from},${to}`, isWider };
    isWider ||=
      points
        .slice(...given)
        .join('')
        .trim() !== points.slice(from, to).join('').trim();
  }
  return { isWider };
}

function pointAt(text: string, unit: number): number {
  return [...text.slice(0, unit)].length;
}

type Range = readonly [from: number, to: number];

/** Where one character became several, or several one, Rust names one of them; ours is the stretch that they share. */
const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

/**
 * Beside white space at a token's ends, which ours never have, ours may take in what no token of Python's has (marks that
 * were stripped, the first of two quotes that became one), or what is of one grapheme with it; and of several tokens that
 * share a stretch (the bytes of unknown characters), ours may say which part each is.
 */
function isAllowed(points: readonly string[], [from, to]: Range, ranges: readonly Range[], at: number): boolean {
  const isSpace = (index: number) => /^\s?$/u.test(points[index] ?? '');
  const whole = ranges[at] ?? [0, 0];
  let [first, last] = whole;
  while (first < last && isSpace(first)) first++;
  while (last > first && isSpace(last - 1)) last--;
  const others = ranges.filter((_, place) => place !== at);
  const isFree = (index: number) => others.every(([start, end]) => index < start || index >= end);
  // Of white space alone nothing is left to compare.
  if (first === last) return points.slice(from, to).every((_, index) => isSpace(from + index) || isFree(from + index));
  const sharesRange = [at - 1, at + 1].some((next) => ranges[next]?.join() === whole.join());
  if (sharesRange && from >= whole[0] && to <= whole[1]) return true;
  if (from > first || to < last) return false;
  const near = graphemesAt(points, first, last);
  for (let index = from; index < to; index++) {
    const isOwn = index >= first && index < last;
    if (!isOwn && !isFree(index) && !(index >= near[0] && index < near[1])) return false;
  }
  return true;
}

/** All of the graphemes that `first..last` touches. */
function graphemesAt(points: readonly string[], first: number, last: number): Range {
  let at = 0;
  let [from, to] = [first, last];
  for (const { segment } of graphemes.segment(points.join(''))) {
    const end = at + [...segment].length;
    if (at <= first && first < end) from = at;
    if (at < last && last <= end) to = end;
    at = end;
  }
  return [from, to];
}
