/**
 * Frames of best symbols to the task's output: text, and times when asked. Pure.
 */
import { type CtcVocabulary, collapseRuns, type TimedText, toCharacters, toWords } from '../../numeric/ctc-decode.ts';

export interface Transcript {
  readonly text: string;
  readonly chunks?: readonly { readonly text: string; readonly timestamp: readonly [number, number] }[];
}

/** An hour at 16 kHz is 230 MB of float32 in a preparation thread; a manifest may tighten it. */
export const audioSecondsMax = 3600;

export type Timestamps = 'word' | 'char';

/** @param secondsPerFrame 0.02 for wav2vec2. */
export function toTranscript(
  best: Int32Array,
  vocabulary: CtcVocabulary,
  secondsPerFrame: number,
  timestamps: Timestamps | null,
): Transcript {
  const characters = toCharacters(collapseRuns(best, vocabulary.blank), vocabulary);
  const text = characters.map((character) => character.text).join('');
  if (timestamps === null) return { text };
  const parts = timestamps === 'char' ? characters : toWords(characters);
  return { text, chunks: parts.map((part) => toChunk(part, secondsPerFrame)) };
}

/** Milliseconds: a frame is 20 of them. */
function toChunk({ text, start, end }: TimedText, secondsPerFrame: number) {
  const seconds = (frame: number) => Math.round(frame * secondsPerFrame * 1000) / 1000;
  return { text, timestamp: [seconds(start), seconds(end)] as const };
}
