/** Frames of best symbols to what was heard: text, and exact times of characters, words and pauses. Pure. */
import { type CtcVocabulary, collapseRuns, toCharacters, toWords } from '../../../numeric/ctc-decode.ts';
import { groupWords } from '../output/group-words.ts';
import type { TimedText, Transcription } from '../output/transcription.ts';

/** @param secondsPerFrame 0.02 for wav2vec2. */
export function toTranscription(
  best: Int32Array,
  vocabulary: CtcVocabulary,
  secondsPerFrame: number,
  duration: number,
): Transcription {
  const runs = collapseRuns(best, vocabulary.blank);
  const characters = toCharacters(runs, vocabulary);
  const inSeconds = (texts: readonly TimedText[]) =>
    texts.map(({ text, start, end }) => ({ text, start: start * secondsPerFrame, end: end * secondsPerFrame }));
  const words = inSeconds(toWords(characters));
  let taken = 0;
  const takeIds = (end: number) => {
    const from = taken;
    while ((runs[taken]?.end ?? Number.POSITIVE_INFINITY) * secondsPerFrame <= end) taken++;
    return runs.slice(from, taken).flatMap(({ id }) => (vocabulary.silent.has(id) ? [] : id));
  };
  return {
    text: characters.map(({ text }) => text).join(''),
    segments: groupWords(words).map((segment) => ({
      ...segment,
      windowStart: 0,
      tokens: takeIds(segment.end),
      temperature: null,
      avgLogProb: null,
      compressionRatio: null,
      noSpeechProb: null,
    })),
    words,
    characters: inSeconds(characters),
    task: 'transcribe',
    language: null,
    duration,
  };
}
