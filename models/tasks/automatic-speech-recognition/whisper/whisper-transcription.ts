/** What the windows of one recording became, as one transcription: segments with text and the figures of their windows. */
import type { Segment, TimedWord, Transcription } from '../output/transcription.ts';
import type { DecodingWish, WrittenWindow } from './decoding-plan.ts';
import { languageName } from './languages.ts';
import { mergeWindows, type TokenSegment } from './merge-windows.ts';
import type { WhisperFiles } from './whisper-files.ts';
import { keepWithinSegment, toWords, usualWordSeconds } from './word-times.ts';

export function toTranscription(
  windows: readonly WrittenWindow[],
  whisper: WhisperFiles,
  { hasTimestamps, hasWords, task }: DecodingWish,
  duration: number,
): Transcription {
  const { tokens, vocabulary, secondsPerTimestamp } = whisper;
  const merged = mergeWindows(
    windows.map((window) => window.tokens),
    { tokens, secondsPerTimestamp, hasTimestamps },
  );
  const segments = merged
    .map((segment) => toSegment(segment, vocabulary.decode(segment.ids), windows, duration))
    .filter(({ text }) => text !== '');
  const language = windows.find((window) => window.tokens.language !== null)?.tokens.language ?? null;
  return {
    text: segments
      .map(({ text }) => text)
      .join('')
      .trim(),
    segments,
    words: hasWords ? wordsOf(merged, windows, whisper, duration) : null,
    characters: null,
    task,
    // What is said, also where the text is a translation.
    language: language === null ? null : languageName(language),
    duration,
  };
}

/** Words of all segments, in order, none later than the end of the recording. */
function wordsOf(
  merged: readonly TokenSegment[],
  windows: readonly WrittenWindow[],
  whisper: WhisperFiles,
  duration: number,
): TimedWord[] {
  const bySegment = merged.map(({ ids, times, window }) =>
    toWords(ids, times ?? [], whisper, windows[window]?.tokens.language ?? null),
  );
  const usual = usualWordSeconds(bySegment.flat());
  return merged.flatMap((segment, index) =>
    keepWithinSegment(bySegment[index] ?? [], segment, usual).map((word) => ({
      ...word,
      start: Math.min(word.start, duration),
      end: Math.min(word.end, duration),
    })),
  );
}

/** Where the model told no time, the segment lasts as long as its windows; times beyond the end are cut to it. */
function toSegment(
  { start, end, ids, firstWindow, window: index }: TokenSegment,
  text: string,
  windows: readonly WrittenWindow[],
  duration: number,
): Segment {
  const [first, window] = [windows[firstWindow], windows[index]];
  if (!first || !window) throw new Error(`Segment of windows ${firstWindow} to ${index}, of ${windows.length}.`);
  const place = window.tokens;
  const within = (seconds: number) => Math.min(seconds, duration);
  return {
    text,
    start: within(start ?? first.tokens.start),
    end: within(end ?? place.start + place.seconds),
    windowStart: place.start,
    tokens: ids,
    temperature: window.temperature,
    avgLogProb: window.avgLogProb,
    compressionRatio: window.compressionRatio,
    noSpeechProb: window.noSpeechProb,
  };
}
