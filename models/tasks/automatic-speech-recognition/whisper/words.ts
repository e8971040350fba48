/**
 * Tokens to words: at spaces, or at every character in languages that write none; punctuation joins the word that it
 * belongs to. As openai/whisper's tokenizer.py and timing.py, and transformers after them. Pure.
 */
import type { WhisperVocabulary } from './vocabulary.ts';

/** A word and the tokens that it is made of, end exclusive. */
export interface TokenWord {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** Codes of languages without spaces between words. */
const unspaced = new Set(['zh', 'ja', 'th', 'lo', 'my', 'yue']);
const opening = '"\'“¿([{-';
const closing = '"\'.。,，!！?？:：”)]}、';
const marks = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';
const broken = '\uFFFD';

export function splitWords(
  ids: readonly number[],
  vocabulary: WhisperVocabulary,
  language: string | null,
): TokenWord[] {
  const characters = splitCharacters(ids, vocabulary);
  const words = language !== null && unspaced.has(language) ? characters : joinAtSpaces(characters);
  return joinClosing(joinOpening(words));
}

/** The shortest runs of tokens that are whole characters: a token may hold some bytes of one. */
function splitCharacters(ids: readonly number[], vocabulary: WhisperVocabulary): TokenWord[] {
  const whole = vocabulary.decode(ids);
  const runs: TokenWord[] = [];
  let [from, offset] = [0, 0];
  for (let to = 1; to <= ids.length; to++) {
    const text = vocabulary.decode(ids.slice(from, to));
    const at = text.indexOf(broken);
    // A mark of broken text that the whole has too is what was written.
    if (at >= 0 && whole[offset + at] !== broken && to < ids.length) continue;
    runs.push({ text, from, to });
    [from, offset] = [to, offset + text.length];
  }
  return runs;
}

function joinAtSpaces(runs: readonly TokenWord[]): TokenWord[] {
  const words: TokenWord[] = [];
  for (const run of runs) {
    const last = words.at(-1);
    if (!last || run.text.startsWith(' ') || marks.includes(run.text.trim())) words.push(run);
    else words[words.length - 1] = joined(last, run);
  }
  return words;
}

/** What opens goes to the word behind it. */
function joinOpening(words: readonly TokenWord[]): TokenWord[] {
  const merged: TokenWord[] = [];
  let open: TokenWord | null = null;
  for (const [at, word] of words.entries()) {
    const whole: TokenWord = open ? joined(open, word) : word;
    const opens = word.text.startsWith(' ') && opening.includes(word.text.trim()) && at < words.length - 1;
    if (!opens) merged.push(whole);
    open = opens ? whole : null;
  }
  return merged;
}

/** What closes goes to the word before it. */
function joinClosing(words: readonly TokenWord[]): TokenWord[] {
  const merged: TokenWord[] = [];
  for (const word of words) {
    const last = merged.at(-1);
    if (last && !last.text.endsWith(' ') && closing.includes(word.text)) merged[merged.length - 1] = joined(last, word);
    else merged.push(word);
  }
  return merged;
}

function joined(left: TokenWord, right: TokenWord): TokenWord {
  return { text: left.text + right.text, from: left.from, to: right.to };
}
