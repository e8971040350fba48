/**
 * Whisper's side of writing token by token: rows to features of the encoder, and each row through its attempts. Where a
 * text of before is given, or beams are searched, the language is detected first, by an attempt of its own from the
 * sound alone; otherwise it is the first token of the text.
 */
import { Problem } from '../../../../shared/problems/problem.ts';
import type { LogMel } from '../../../audio/log-mel.ts';
import { isFiniteAll } from '../../../numeric/softmax.ts';
import type { BatchTensor, GenerationPlan, Row } from '../../../task.ts';
import type { OutputWish } from '../output/transcription.ts';
import {
  beginDetection,
  beginWindow,
  type DecodingWish,
  finishWindow,
  languageOf,
  type WindowPlace,
} from './decoding-plan.ts';
import type { WhisperFiles } from './whisper-files.ts';
import { reviewWindow } from './word-times.ts';

/** What a row carries besides its features. */
export interface WindowContext {
  readonly place: WindowPlace;
  readonly decoding: DecodingWish;
  readonly output: OutputWish;
  /** Seconds of the whole recording. */
  readonly duration: number;
  /** Feature of the silence that follows the frames. */
  readonly floor: number;
}

/** The silence that fills the window is not sent to the lane: a word of 1 s is 32 KB instead of 960. */
export function toRow(
  { data, frames, floor }: LogMel,
  { mel }: WhisperFiles,
  context: Omit<WindowContext, 'floor'>,
): Row {
  return {
    tensors: { input_features: { type: 'float32', dims: [mel.mels, frames], data } },
    // Every row costs a whole window: the encoder hears the silence too.
    length: 1,
    shapeKey: 'window',
    context: { ...context, floor } satisfies WindowContext,
  };
}

export function createWindowPlan(whisper: WhisperFiles): GenerationPlan {
  /** Found by a row's first attempt; a row that is begun anew finds the same again. */
  const detected = new WeakMap<Row, string | null>();
  const stageOf = (row: Row, attempt: number) => {
    const { decoding } = row.context as WindowContext;
    const isOpen = decoding.language === null && whisper.tokens.multilingual !== null;
    if (!isOpen || (decoding.previousIds.length === 0 && decoding.beams === 1)) return { decoding, turn: attempt };
    return { decoding: { ...decoding, language: detected.get(row) ?? null }, turn: attempt - 1 };
  };
  return {
    positionsMax: whisper.positionsMax,
    collate: (rows) => ({ input_features: collateFeatures(rows, whisper) }),
    begin(row, attempt) {
      const { decoding, turn } = stageOf(row, attempt);
      return turn < 0 ? beginDetection(whisper) : beginWindow(whisper, decoding, turn);
    },
    finish(row, written, attempt) {
      const { decoding, turn } = stageOf(row, attempt);
      if (turn < 0) {
        detected.set(row, languageOf(whisper, written.ids[0]));
        return 'again';
      }
      if (written.keptLogits && !isFiniteAll(written.keptLogits)) {
        const detail = 'The model gave NaN or infinity for this recording.';
        return { problem: new Problem('non-finite-output', detail).toDetails() };
      }
      const window = finishWindow(whisper, decoding, (row.context as WindowContext).place, written, turn);
      if (window === 'again') return window;
      const { alignment } = whisper;
      if (!decoding.hasWords || 'fault' in alignment || window.tokens.ids.length === 0) return { part: window };
      const { promptIds } = beginWindow(whisper, decoding, turn);
      return reviewWindow(window, written, promptIds, alignment, whisper);
    },
  };
}

function collateFeatures(rows: readonly Row[], { mel }: WhisperFiles): BatchTensor {
  const framesMax = Math.floor(mel.windowSamples / mel.hop);
  const data = new Float32Array(rows.length * mel.mels * framesMax);
  for (const [index, row] of rows.entries()) {
    const features = row.tensors['input_features'];
    const [, frames = 0] = features?.dims ?? [];
    const own = data.subarray(index * mel.mels * framesMax, (index + 1) * mel.mels * framesMax);
    own.fill((row.context as WindowContext).floor);
    for (let band = 0; band < mel.mels; band++)
      own.set(features?.data.subarray(band * frames, (band + 1) * frames) ?? [], band * framesMax);
  }
  return { type: 'float32', dims: [rows.length, mel.mels, framesMax], data };
}
