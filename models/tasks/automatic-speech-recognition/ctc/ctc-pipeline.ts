/**
 * Speech recognition with CTC models of the wav2vec2 family: file to samples to rows (one per window of a long
 * recording), logits to best symbols, symbols of all windows to one text.
 *
 * Padding: models whose first convolution is group-normalised (feat_extract_norm "group") see their whole row in every
 * statistic, so padding would change the result; they, and graphs without attention_mask, only share a call with rows
 * of their own length.
 */
import { Problem } from '../../../../shared/problems/problem.ts';
import {
  countFrames,
  cutWindows,
  type FrameGrid,
  frameStep,
  normalizeWave,
  type WaveWindow,
} from '../../../audio/waveform.ts';
import { bestSymbols, type CtcVocabulary } from '../../../numeric/ctc-decode.ts';
import { isFiniteAll } from '../../../numeric/softmax.ts';
import type { ModelFiles } from '../../../repository/model-files.ts';
import { graphFile, graphSignature, type Json, readJson } from '../../../repository/version-files.ts';
import type { BatchTensor, CallPipeline, PreparedSource, Row, RowOutcome } from '../../../task.ts';
import { audioSecondsMax, type OutputWish, readOutputWish } from '../output/transcription.ts';
import { writeOutput } from '../output/write-output.ts';
import { toTranscription } from './ctc-transcription.ts';
import { readCtcVocabulary } from './ctc-vocabulary.ts';

/** Hugging Face's chunk_length_s and stride_length_s: 20 s bound the memory and time of a call, 3 s of context. */
const windowSecondsUsual = 20;
const contextShare = 3 / 20;
/** Shorter clips are followed by silence up to this: the smallest models need two frames of 45 ms. */
const clipSecondsMin = 0.1;

/** What is read of the model's files. */
interface Setup {
  readonly sampleRate: number;
  readonly isNormalized: boolean;
  readonly grid: FrameGrid;
  readonly isPadded: boolean;
  readonly wantsMask: boolean;
  readonly secondsMax: number;
}

interface WindowContext {
  readonly contextLeft: number;
  readonly contextRight: number;
  /** Seconds of the whole recording. */
  readonly duration: number;
  readonly wish: OutputWish;
}

export async function createCtcPipeline(
  files: ModelFiles,
  config: Json,
  use: 'prepare' | 'lane' | 'merge',
): Promise<CallPipeline> {
  const setup = await readSetup(files, config);
  if (use === 'prepare') await (await import('../../../audio/decode-audio.ts')).warmDecoder();
  const vocabulary = use === 'prepare' ? null : await readCtcVocabulary(files, config);
  return {
    sessions: { model: graphFile(files) },
    prepare: (source, parameters, signal) => prepare(source, { ...files.parameters, ...parameters }, setup, signal),
    collate: (rows) => collate(rows, setup),
    postprocess: (outputs, rows) => postprocess(outputs['logits'], rows, setup),
    merge(parts, contexts) {
      if (!vocabulary) throw new Error('This pipeline was not made to merge.');
      return mergeWindows(parts as readonly Int32Array[], contexts[0] as WindowContext, setup, vocabulary);
    },
    canary: { rows: [canaryRow(setup)] },
  };
}

async function readSetup(files: ModelFiles, config: Json): Promise<Setup> {
  const processor = (await readJson(files, 'preprocessor_config.json')) ?? {};
  const { inputs } = graphSignature(files);
  const [kernels, strides] = [config['conv_kernel'], config['conv_stride']];
  if (!Array.isArray(kernels) || !Array.isArray(strides) || !inputs.includes('input_values')) {
    throw new Error(
      `Model ${files.id} is not of the wav2vec2 family: expected conv_kernel and conv_stride in config.json and a graph ` +
        `input input_values, found inputs ${inputs.join(', ')}.`,
    );
  }
  const wantsMask = inputs.includes('attention_mask');
  return {
    sampleRate: Number(processor['sampling_rate'] ?? 16_000),
    isNormalized: processor['do_normalize'] !== false,
    grid: { kernels: kernels.map(Number), strides: strides.map(Number) },
    isPadded: wantsMask && config['feat_extract_norm'] === 'layer',
    wantsMask,
    secondsMax: files.limits.audioSecondsMax ?? audioSecondsMax,
  };
}

async function prepare(
  source: PreparedSource,
  parameters: Readonly<Record<string, unknown>>,
  setup: Setup,
  signal: AbortSignal | undefined,
): Promise<Row[]> {
  if (source.kind !== 'file') throw new Problem('unsupported-file-type', 'This task takes a recording, not a text.');
  refuseTranslation(parameters);
  const { sampleRate, secondsMax, grid } = setup;
  // Imported late: a lane starts without ffmpeg's library.
  const { decodeAudio } = await import('../../../audio/decode-audio.ts');
  const samples = await decodeAudio(source.path, { sampleRate, secondsMax, signal });
  const step = frameStep(grid);
  const onGrid = (seconds: number) => Math.round((seconds * sampleRate) / step) * step;
  const windowSeconds = Number(parameters['chunk_length_s'] ?? windowSecondsUsual);
  const windows = cutWindows(samples.length, onGrid(windowSeconds), onGrid(windowSeconds * contextShare));
  const [wish, duration] = [readOutputWish(parameters), samples.length / sampleRate];
  return windows.map((window) => {
    const { contextLeft, contextRight } = window;
    return toRow(samples, window, setup, { contextLeft, contextRight, duration, wish });
  });
}

/** Language, prompt and temperature are hints that a CTC model does without; another language is another result. */
function refuseTranslation(parameters: Readonly<Record<string, unknown>>): void {
  if (parameters['task'] !== 'translate') return;
  const detail = 'This model writes what is said and does not translate. Leave `task` out, or name a Whisper model.';
  throw new Problem('validation-failed', detail, { errors: [{ pointer: '/parameters/task', detail }] });
}

function toRow(samples: Float32Array, window: WaveWindow, setup: Setup, context: WindowContext): Row {
  const sound = samples.slice(window.from, window.to);
  if (setup.isNormalized) normalizeWave(sound);
  const least = Math.ceil(clipSecondsMin * setup.sampleRate);
  const wave = sound.length < least ? Float32Array.from({ length: least }, (_, at) => sound[at] ?? 0) : sound;
  return {
    tensors: { input_values: { type: 'float32', dims: [wave.length], data: wave } },
    length: wave.length,
    shapeKey: setup.isPadded ? 'samples' : `samples:${wave.length}`,
    context,
  };
}

function collate(rows: readonly Row[], setup: Setup): Record<string, BatchTensor> {
  const longest = rows.reduce((most, row) => Math.max(most, row.length), 1);
  const dims = [rows.length, longest];
  const values = new Float32Array(rows.length * longest);
  const mask = new BigInt64Array(setup.wantsMask ? rows.length * longest : 0);
  for (const [index, row] of rows.entries()) {
    values.set(row.tensors['input_values']?.data ?? [], index * longest);
    if (setup.wantsMask) mask.fill(1n, index * longest, index * longest + row.length);
  }
  const feeds: Record<string, BatchTensor> = { input_values: { type: 'float32', dims, data: values } };
  if (setup.wantsMask) feeds['attention_mask'] = { type: 'int64', dims, data: mask };
  return feeds;
}

function postprocess(logits: BatchTensor | undefined, rows: readonly Row[], setup: Setup): RowOutcome[] {
  const [, framesMax = 0, width = 0] = logits?.dims ?? [];
  if (!logits || !(logits.data instanceof Float32Array) || width === 0) throw new Error('The graph gave no `logits`.');
  const { data } = logits;
  return rows.map((row, index) => {
    // Frames beyond the row's own are padding.
    const frames = Math.min(framesMax, countFrames(row.length, setup.grid));
    const own = data.subarray(index * framesMax * width, (index * framesMax + frames) * width);
    if (!isFiniteAll(own)) {
      return {
        problem: new Problem('non-finite-output', 'The model gave NaN or infinity for this recording.').toDetails(),
      };
    }
    const context = row.context as WindowContext;
    return { part: dropContext(bestSymbols(own, width), row.length, context, frameStep(setup.grid)) };
  });
}

/** The convolutions give up to one frame less than samples / step; counting from the left keeps neighbours in step. */
function dropContext(best: Int32Array, samples: number, context: WindowContext, step: number): Int32Array {
  const from = Math.round(context.contextLeft / step);
  if (context.contextRight === 0) return best.slice(from);
  return best.slice(from, Math.round((samples - context.contextRight) / step));
}

/** @param windows best symbols of each, without its context. */
function mergeWindows(
  windows: readonly Int32Array[],
  { duration, wish }: WindowContext,
  setup: Setup,
  vocabulary: CtcVocabulary,
): unknown {
  const best = new Int32Array(windows.reduce((sum, window) => sum + window.length, 0));
  let at = 0;
  for (const window of windows) {
    best.set(window, at);
    at += window.length;
  }
  return writeOutput(toTranscription(best, vocabulary, frameStep(setup.grid) / setup.sampleRate, duration), wish);
}

/** A quarter of a second of a faint tone: silence would be all zeros, which says less about a device. */
function canaryRow(setup: Setup): Row {
  const length = setup.sampleRate / 4;
  const samples = Float32Array.from({ length }, (_, at) => 0.1 * Math.sin(at / 8));
  const window: WaveWindow = { from: 0, to: length, contextLeft: 0, contextRight: 0 };
  return toRow(samples, window, setup, { contextLeft: 0, contextRight: 0, duration: 0.25, wish: readOutputWish({}) });
}
