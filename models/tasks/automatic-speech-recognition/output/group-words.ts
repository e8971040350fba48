/**
 * Words with times to segments as a reader of subtitles wants them, for models that know no sentences: a pause ends one,
 * and so does a length that no longer fits two lines of a screen. Pure.
 */
import type { TimedText } from './transcription.ts';

/** Speakers take 0.2 to 0.5 s between phrases and less within one. */
const pauseSeconds = 0.6;
/** Two lines of 42 characters, and seven seconds, are what style guides for subtitles allow. */
const charactersMax = 84;
const secondsMax = 7;

export function groupWords(words: readonly TimedText[]): TimedText[] {
  const groups: TimedText[] = [];
  for (const word of words) {
    const last = groups.at(-1);
    const joined = last && `${last.text} ${word.text}`;
    const fits =
      last &&
      joined &&
      word.start - last.end < pauseSeconds &&
      joined.length <= charactersMax &&
      word.end - last.start <= secondsMax;
    if (fits) groups[groups.length - 1] = { text: joined, start: last.start, end: word.end };
    else groups.push(word);
  }
  return groups;
}
