/**
 * How Whisper writes one window: its prompt, the rules of the next token, and what becomes of the tokens. A window that
 * repeats itself or is unlikely is written again at the next temperature, if there is one; one that is both unlikely
 * and judged silent says nothing. Pure; `window-plan.ts` runs it in the lane.
 */
import { deflateSync } from 'node:zlib';
import type { SequenceStart, Written } from '../../../task.ts';
import { constrainLogits, type DecodingRules, type ForcedToken } from './decoding-rules.ts';
import type { WindowTokens } from './merge-windows.ts';
import type { SpecialTokens } from './special-tokens.ts';
import type { WhisperFiles } from './whisper-files.ts';

/** The decoding that a caller, or the model's manifest, asked for. */
export interface DecodingWish {
  /** Text of before as tokens, its mark first; empty when there is none. */
  readonly previousIds: readonly number[];
  /** A code; null to detect it. */
  readonly language: string | null;
  readonly task: 'transcribe' | 'translate';
  readonly hasTimestamps: boolean;
  /** Times of words: asked only of models that can tell them. */
  readonly hasWords: boolean;
  readonly tokensMax: number | null;
  /** Searched at temperature 0. */
  readonly beams: number;
  /** Tried in order. */
  readonly temperatures: readonly number[];
  readonly seed: number;
  readonly compressionRatioMax: number;
  readonly logProbMin: number;
  readonly noSpeechProbMax: number;
}

/** What one window became; `merge` joins them. */
export interface WrittenWindow {
  readonly tokens: WindowTokens;
  readonly temperature: number;
  readonly avgLogProb: number;
  readonly compressionRatio: number;
  readonly noSpeechProb: number;
}

export type WindowPlace = Omit<WindowTokens, 'ids' | 'times' | 'language'>;

/** Writes nothing but the language, from the sound alone. */
export function beginDetection({ tokens }: WhisperFiles): SequenceStart {
  const rules = { ...freeRules(tokens), forced: [anyLanguage(tokens)] };
  return {
    promptIds: [tokens.start],
    tokensMax: 1,
    stopIds: [],
    sampling: { temperature: 0 },
    constrain: (logits, written) => constrainLogits(rules, logits, written),
    skipLogProbs: true,
  };
}

/** @param turn which of the temperatures. */
export function beginWindow(files: WhisperFiles, wish: DecodingWish, turn: number): SequenceStart {
  const { known, forced } = forcedTokens(files, wish);
  const { tokens, suppressed, suppressedFirst, firstTimestampMax, positionsMax } = files;
  const promptIds = [...wish.previousIds, tokens.start, ...known];
  const rules = { tokens, forced, hasTimestamps: wish.hasTimestamps, suppressed, suppressedFirst, firstTimestampMax };
  const positionsLeft = positionsMax - promptIds.length;
  return {
    promptIds,
    tokensMax: Math.min(positionsLeft, forced.length + (wish.tokensMax ?? positionsLeft)),
    stopIds: [tokens.end],
    sampling: { temperature: wish.temperatures[turn] ?? 0, seed: wish.seed, beams: wish.beams },
    constrain: (logits, written) => constrainLogits(rules, logits, written),
    // Whether there is speech stands in what the model expects right after the start.
    keepLogitsAt: wish.previousIds.length,
  };
}

/**
 * Language, task and whether there are timestamps, after the start token. What is known goes into the prompt, one call
 * for all; from a language that is to be detected on, tokens are forced one by one.
 */
function forcedTokens(
  { tokens }: WhisperFiles,
  wish: DecodingWish,
): { known: readonly number[]; forced: readonly ForcedToken[] } {
  const { multilingual, noTimestamps } = tokens;
  const last = wish.hasTimestamps ? [] : [noTimestamps];
  if (!multilingual) return { known: last, forced: [] };
  const task = wish.task === 'translate' ? multilingual.translate : multilingual.transcribe;
  const language = wish.language === null ? undefined : multilingual.languages.get(wish.language);
  if (language !== undefined) return { known: [language, task, ...last], forced: [] };
  return { known: [], forced: [anyLanguage(tokens), task, ...last] };
}

function anyLanguage({ multilingual }: SpecialTokens): ForcedToken {
  return { anyOf: [...(multilingual?.languages.values() ?? [])] };
}

function freeRules(tokens: SpecialTokens): DecodingRules {
  return { tokens, forced: [], hasTimestamps: false, suppressed: [], suppressedFirst: [], firstTimestampMax: null };
}

export function finishWindow(
  files: WhisperFiles,
  wish: DecodingWish,
  place: WindowPlace,
  written: Written,
  turn: number,
): WrittenWindow | 'again' {
  const { forced } = forcedTokens(files, wish);
  const ids = written.ids.slice(forced.length);
  const measures = {
    avgLogProb: written.logProbs.slice(forced.length).reduce((sum, logProb) => sum + logProb, 0) / (ids.length + 1),
    compressionRatio: compressionRatio(files.vocabulary.decode(ids)),
    noSpeechProb: probabilityOf(files.tokens.noSpeech, written.keptLogits),
  };
  const isUnlikely = measures.avgLogProb < wish.logProbMin;
  const isSilent = isUnlikely && measures.noSpeechProb > wish.noSpeechProbMax;
  const isBad = !isSilent && (isUnlikely || measures.compressionRatio > wish.compressionRatioMax);
  if (isBad && turn + 1 < wish.temperatures.length) return 'again';
  const language = wish.language ?? languageOf(files, written.ids[0]);
  return {
    tokens: { ...place, ids: isSilent ? [] : ids, language },
    temperature: wish.temperatures[turn] ?? 0,
    ...measures,
  };
}

/** The code of a language token; an English-only model writes none. */
export function languageOf({ tokens }: WhisperFiles, id: number | undefined): string | null {
  if (!tokens.multilingual) return 'en';
  return [...tokens.multilingual.languages].find(([, own]) => own === id)?.[0] ?? null;
}

/** As openai/whisper: a text that says the same thing over and over is much shorter when packed. */
function compressionRatio(text: string): number {
  const bytes = Buffer.from(text);
  return bytes.length / deflateSync(bytes).length;
}

function probabilityOf(id: number, logits: Float32Array | undefined): number {
  if (!logits) return 0;
  const top = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - top), 0);
  return Math.exp((logits[id] ?? Number.NEGATIVE_INFINITY) - top) / sum;
}
