/**
 * The normaliser `Precompiled` (XLM-R, bge-m3, T5, mDeBERTa): sentencepiece's table, applied as Hugging Face's Rust
 * tokenisers apply it. A grapheme below 6 bytes is looked up whole and, where the table has it or how it begins, replaced
 * whole: "ﬁ" with an accent loses the accent. All else is looked up character by character. Models were trained with that.
 */
import { type Charsmap, readCharsmap } from './charsmap.ts';
import { type Edit, type Rewrite, rewriteBy } from './rewrite.ts';

/** @param encoded base64; empty where a tokeniser was saved without its table, which then changes nothing. */
export function precompiled(encoded: string): Rewrite {
  if (encoded === '') return rewriteBy(() => []);
  const lookUp = rememberCharacters(readCharsmap(Buffer.from(encoded, 'base64')));
  return rewriteBy((text) => findEdits(text, lookUp));
}

/** Most characters are not in the table: of those below U+10000 that is found out once. */
function rememberCharacters(lookUp: Charsmap): Charsmap {
  const isAbsent = new Uint8Array(0x10000);
  return (text) => {
    const unit = text.length === 1 ? text.charCodeAt(0) : -1;
    if (unit >= 0 && isAbsent[unit] === 1) return null;
    const found = lookUp(text);
    if (unit >= 0 && found === null) isAbsent[unit] = 1;
    return found;
  };
}

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

/**
 * Characters that are graphemes of their own beside any other of them: letters of the scripts that most texts are in,
 * their signs, ideographs and kana. Only what touches others is cut into graphemes, which costs many times a look-up.
 */
const loner =
  '\\t\\n -\\u02ff\\u0370-\\u0482\\u048a-\\u0590\\u2010-\\u2027\\u2030-\\u205e\\u3001-\\u3029\\u3041-\\u3096\\u30a0-\\u30ff\\u4e00-\\u9fff';
const joined = new RegExp(`[${loner}]?[^${loner}]+(?:[${loner}][^${loner}]+)*[${loner}]?`, 'gu');

function findEdits(text: string, lookUp: Charsmap): Edit[] {
  const edits: Edit[] = [];
  let at = 0;
  for (const { 0: match, index } of text.matchAll(joined)) {
    pushCharacters(text.slice(at, index), at, lookUp, edits);
    pushGraphemes(match, index, lookUp, edits);
    at = index + match.length;
  }
  pushCharacters(text.slice(at), at, lookUp, edits);
  return edits;
}

function pushGraphemes(text: string, offset: number, lookUp: Charsmap, edits: Edit[]): void {
  for (const { segment, index } of graphemes.segment(text)) {
    const whole = Buffer.byteLength(segment) < 6 ? lookUp(segment) : null;
    if (whole === null) pushCharacters(segment, offset + index, lookUp, edits);
    else pushInStep(segment, offset + index, whole, edits);
  }
}

function pushCharacters(text: string, offset: number, lookUp: Charsmap, edits: Edit[]): void {
  let at = offset;
  for (const character of text) {
    const found = lookUp(character);
    if (found !== null) edits.push({ from: at, to: at + character.length, text: found });
    at += character.length;
  }
}

/** Characters stand for one another in turn, as Rust aligns them; what is over stands for the last, or is dropped. */
function pushInStep(old: string, offset: number, made: string, edits: Edit[]): void {
  const [from, to] = [[...old], [...made]];
  let at = offset;
  for (const [index, character] of from.entries()) {
    const isLast = index === from.length - 1;
    edits.push({ from: at, to: at + character.length, text: isLast ? to.slice(index).join('') : (to[index] ?? '') });
    at += character.length;
  }
}
