/**
 * Times of a window's tokens, from one look back of the decoder on what it wrote; and times of words from those of their
 * tokens. Pure but for being asked by `window-plan.ts` in the lane.
 */
import type { BatchTensor, Review, Written } from '../../../task.ts';
import type { TimedWord } from '../output/transcription.ts';
import { alignTokens, type HeadAttention } from './align-tokens.ts';
import type { AlignmentHeads } from './alignment-heads.ts';
import type { WrittenWindow } from './decoding-plan.ts';
import type { TokenTime } from './merge-windows.ts';
import type { WhisperFiles } from './whisper-files.ts';
import { splitWords } from './words.ts';

/** @param promptIds what the window was written behind; forced tokens, written first, are no text either. */
export function reviewWindow(
  window: WrittenWindow,
  written: Written,
  promptIds: readonly number[],
  { heads, medianWidth }: AlignmentHeads,
  { mel, secondsPerTimestamp }: WhisperFiles,
): Review {
  const ids = [...promptIds, ...written.ids];
  const tokens = window.tokens.ids.length;
  const logProbs = written.logProbs.slice(written.ids.length - tokens, written.ids.length);
  const samples = Math.round(window.tokens.seconds * mel.sampleRate);
  // The encoder makes one frame of two.
  const heard = Math.max(1, Math.ceil(samples / mel.hop) >> 1);
  return {
    ids,
    outputs: [...new Set(heads.map(({ output }) => output))],
    conclude(outputs) {
      const attentions = heads.map(({ output, head }) =>
        attentionOf(outputs[output], output, head, ids.length - tokens),
      );
      const frames = Math.min(heard, ...attentions.map(({ framesPerToken }) => framesPerToken));
      const first = alignTokens(attentions, { tokens, frames, medianWidth });
      const times = toTimes(first, secondsPerTimestamp, logProbs);
      return { part: { ...window, tokens: { ...window.tokens, times } } satisfies WrittenWindow };
    },
  };
}

function attentionOf(tensor: BatchTensor | undefined, name: string, head: number, skipped: number): HeadAttention {
  const [, heads = 0, fed = 0, frames = 0] = tensor?.dims ?? [];
  if (!tensor || !(tensor.data instanceof Float32Array) || head >= heads)
    throw new Error(`the decoder gave no head ${head} of "${name}"`);
  return {
    data: tensor.data.subarray((head * fed + skipped) * frames, (head + 1) * fed * frames),
    framesPerToken: frames,
  };
}

/** A token is read when the one after it is to be written: where the path comes to it, it has been said. */
function toTimes(first: readonly number[], secondsPerFrame: number, logProbs: Float32Array): TokenTime[] {
  return first.map((frame, at) => ({
    start: (first[at - 1] ?? 0) * secondsPerFrame,
    end: frame * secondsPerFrame,
    probability: Math.exp(logProbs[at] ?? Number.NEGATIVE_INFINITY),
  }));
}

/** Words of a segment whose tokens have times. */
export function toWords(
  ids: readonly number[],
  times: readonly TokenTime[],
  { vocabulary }: WhisperFiles,
  language: string | null,
): TimedWord[] {
  return splitWords(ids, vocabulary, language).flatMap(({ text, from, to }) => {
    const own = times.slice(from, to);
    const [first, last] = [own[0], own.at(-1)];
    if (!first || !last || text.trim() === '') return [];
    const probability = own.reduce((sum, time) => sum + time.probability, 0) / own.length;
    return [{ text, start: first.start, end: last.end, probability }];
  });
}

/** A word that strays this far beyond its segment took in a pause. */
const strayMax = 0.5;
/** openai/whisper's usual word at most. */
const usualWordMax = 0.7;

/**
 * openai/whisper believes the segment where its first word begins, or its last one ends, far outside: the path gives a
 * pause before or after to the word beside it.
 */
export function keepWithinSegment(
  words: readonly TimedWord[],
  { start, end }: { readonly start: number | null; readonly end: number | null },
  usualSeconds: number,
): TimedWord[] {
  const kept = [...words];
  const [first, lastAt] = [kept[0], kept.length - 1];
  if (first && start !== null && start < first.end && start - strayMax > first.start)
    kept[0] = { ...first, start: Math.max(0, Math.min(first.end - usualSeconds, start)) };
  const last = kept[lastAt];
  if (last && end !== null && end > last.start && end + strayMax < last.end)
    kept[lastAt] = { ...last, end: Math.max(last.start + usualSeconds, end) };
  return kept;
}

/** Median length of the words that have one; 0 when none has. */
export function usualWordSeconds(words: readonly TimedWord[]): number {
  const lengths = words
    .map(({ start, end }) => end - start)
    .filter((length) => length > 0)
    .sort((a, b) => a - b);
  const middle = lengths.length >> 1;
  const median = lengths.length % 2 === 1 ? lengths[middle] : ((lengths[middle - 1] ?? 0) + (lengths[middle] ?? 0)) / 2;
  return Math.min(usualWordMax, median ?? 0);
}
