/**
 * Finds the added tokens of tokenizer.json in a text, as Hugging Face's Rust tokenisers do: leftmost, then longest; some
 * only as a word of their own; some with the white space beside them. Pure.
 */

import { wordLetter } from './rust-classes.ts';

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  /** Looked for in the normalised text, by its own normalised content. */
  readonly normalized?: boolean;
  readonly special?: boolean;
}

/** Units `from..to` of a text: an added token, or what lies between. */
export interface Section {
  readonly from: number;
  readonly to: number;
  readonly added: AddedToken | null;
}

export type FindAdded = (text: string) => Section[];

const wordBefore = new RegExp(`${wordLetter}$`, 'v');
const wordAfter = new RegExp(`^${wordLetter}`, 'v');
const spacesAfter = /\p{White_Space}*/uy;

/** @param spell how a token stands in the texts that are searched. */
export function finderOf(tokens: readonly AddedToken[], spell: (content: string) => string): FindAdded {
  const spelled = new Map(tokens.map((token) => [spell(token.content), token]));
  spelled.delete('');
  if (spelled.size === 0) return (text) => [{ from: 0, to: text.length, added: null }];
  const longestFirst = [...spelled.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((content) => RegExp.escape(content)).join('|'), 'gu');
  return (text) => {
    const sections: Section[] = [];
    let at = 0;
    for (const { 0: match, index } of text.matchAll(pattern)) {
      const token = spelled.get(match);
      const end = index + match.length;
      if (!token || (token.single_word && !isWordAlone(text, index, end))) continue;
      const from = Math.max(at, token.lstrip ? spacesBefore(text, index) : index);
      const to = token.rstrip ? endOfSpaces(text, end) : end;
      if (at < from) sections.push({ from: at, to: from, added: null });
      sections.push({ from, to, added: token });
      at = to;
    }
    if (at < text.length) sections.push({ from: at, to: text.length, added: null });
    return sections;
  };
}

/** Looks at one character on either side. */
function isWordAlone(text: string, from: number, to: number): boolean {
  return !wordBefore.test(text.slice(Math.max(0, from - 2), from)) && !wordAfter.test(text.slice(to, to + 2));
}

/** No white space lies beyond the basic plane. */
function spacesBefore(text: string, from: number): number {
  let at = from;
  while (at > 0 && /\p{White_Space}/u.test(text[at - 1] ?? '')) at--;
  return at;
}

function endOfSpaces(text: string, from: number): number {
  spacesAfter.lastIndex = from;
  return from + (spacesAfter.exec(text)?.[0].length ?? 0);
}
