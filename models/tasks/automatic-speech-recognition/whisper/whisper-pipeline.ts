/**
 * Speech recognition with Whisper: file to samples to windows of 30 s to log-mel features, one row each; tokens of all
 * windows to one transcription. Windows of one recording and of many share the encoder's and the decoder's calls.
 */
import { Problem } from '../../../../shared/problems/problem.ts';
import { createLogMel } from '../../../audio/log-mel.ts';
import { cutAtPauses } from '../../../audio/pause-cuts.ts';
import { cutWindows, type WaveWindow } from '../../../audio/waveform.ts';
import { findLayout } from '../../../generation/graph-layout.ts';
import type { ModelFiles } from '../../../repository/model-files.ts';
import type { Json } from '../../../repository/version-files.ts';
import type { GenerativePipeline, PreparedSource, Row } from '../../../task.ts';
import { readOutputWish } from '../output/transcription.ts';
import { writeOutput } from '../output/write-output.ts';
import { readDecodingWish } from './caller-wishes.ts';
import type { DecodingWish, WindowPlace, WrittenWindow } from './decoding-plan.ts';
import { readWhisperFiles, type WhisperFiles } from './whisper-files.ts';
import { toTranscription } from './whisper-transcription.ts';
import { createWindowPlan, toRow, type WindowContext } from './window-plan.ts';

/** transformers' stride: a sixth of the window on either side. */
const overlapShare = 1 / 6;

export async function createWhisperPipeline(
  files: ModelFiles,
  config: Json,
  use: 'prepare' | 'lane' | 'merge',
): Promise<GenerativePipeline> {
  const whisper = await readWhisperFiles(files, config);
  const prepare = use === 'prepare' ? await createPreparation(files, whisper) : null;
  return {
    sessions: findLayout(files).sessions,
    prepare(source, parameters, signal) {
      if (!prepare) throw new Error('This pipeline was not made to prepare.');
      return prepare(source, { ...files.parameters, ...parameters }, signal);
    },
    generation: createWindowPlan(whisper),
    merge: (parts, contexts) => mergeWindows(parts as readonly WrittenWindow[], contexts[0] as WindowContext, whisper),
    canary: { rows: [canaryRow(whisper)] },
  };
}

type Preparation = (
  source: PreparedSource,
  parameters: Readonly<Record<string, unknown>>,
  signal: AbortSignal | undefined,
) => Promise<Row[]>;

async function createPreparation(files: ModelFiles, whisper: WhisperFiles): Promise<Preparation> {
  // Imported late: a lane starts without ffmpeg's library and without the tokeniser's.
  const { decodeAudio, warmDecoder } = await import('../../../audio/decode-audio.ts');
  await warmDecoder();
  const { loadTokenizer } = await import('../../../text/tokenizer.ts');
  let tokenizer: ReturnType<typeof loadTokenizer> | undefined;
  const encode = async (text: string) => {
    tokenizer ??= loadTokenizer(files.versionFolder);
    return (await tokenizer).encode(text);
  };
  const extract = createLogMel(whisper.mel);
  return async (source, parameters, signal) => {
    if (source.kind !== 'file') throw new Problem('unsupported-file-type', 'This task takes a recording, not a text.');
    const output = readOutputWish(parameters);
    const decoding = await readDecodingWish(parameters, output, whisper, encode);
    const { sampleRate } = whisper.mel;
    const samples = await decodeAudio(source.path, { sampleRate, secondsMax: whisper.secondsMax, signal });
    const duration = samples.length / sampleRate;
    return cutRecording(samples, whisper, parameters).map((window) => {
      signal?.throwIfAborted();
      const place = placeOf(window, sampleRate);
      return toRow(extract(samples.subarray(window.from, window.to)), whisper, { place, decoding, output, duration });
    });
  };
}

function cutRecording(
  samples: Float32Array,
  { mel }: WhisperFiles,
  parameters: Readonly<Record<string, unknown>>,
): WaveWindow[] {
  const wished = Number(parameters['chunk_length_s'] ?? Number.POSITIVE_INFINITY) * mel.sampleRate;
  const length = Math.round(Math.min(wished, mel.windowSamples));
  const context = Math.round(length * overlapShare);
  if (parameters['chunking'] === 'overlap') return cutWindows(samples.length, length, context);
  return cutAtPauses(samples, { sampleRate: mel.sampleRate, length, context });
}

function placeOf({ from, to, contextLeft, contextRight }: WaveWindow, sampleRate: number): WindowPlace {
  return {
    start: from / sampleRate,
    seconds: (to - from) / sampleRate,
    overlapLeft: contextLeft / sampleRate,
    overlapRight: contextRight / sampleRate,
  };
}

function mergeWindows(
  windows: readonly WrittenWindow[],
  { decoding, output, duration }: WindowContext,
  whisper: WhisperFiles,
): unknown {
  return writeOutput(toTranscription(windows, whisper, decoding, duration), output);
}

/** Half a second of a faint tone, four tokens long. */
function canaryRow(whisper: WhisperFiles): Row {
  const { sampleRate } = whisper.mel;
  const samples = Float32Array.from({ length: sampleRate / 2 }, (_, at) => 0.1 * Math.sin(at / 8));
  const place: WindowPlace = { start: 0, seconds: 0.5, overlapLeft: 0, overlapRight: 0 };
  const decoding: DecodingWish = {
    previousIds: [],
    language: null,
    task: 'transcribe',
    hasTimestamps: false,
    hasWords: false,
    tokensMax: 4,
    beams: 1,
    temperatures: [0],
    seed: 0,
    compressionRatioMax: Number.POSITIVE_INFINITY,
    logProbMin: Number.NEGATIVE_INFINITY,
    noSpeechProbMax: 1,
  };
  const output = readOutputWish({});
  return toRow(createLogMel(whisper.mel)(samples), whisper, { place, decoding, output, duration: 0.5 });
}
