/**
 * What is read of a Whisper model's files: the sizes of features and decoder, special tokens, what the checkpoint
 * suppresses or forces. Nothing about Whisper's sizes is written down elsewhere.
 */
import type { LogMelPlan } from '../../../audio/log-mel.ts';
import type { ModelFiles } from '../../../repository/model-files.ts';
import { type Json, readJson } from '../../../repository/version-files.ts';
import { audioSecondsMax } from '../output/transcription.ts';
import { type AlignmentFault, type AlignmentHeads, readAlignment } from './alignment-heads.ts';
import { readSpecialTokens, type SpecialTokens } from './special-tokens.ts';
import { readVocabulary, type WhisperVocabulary } from './vocabulary.ts';

export interface WhisperFiles {
  readonly mel: LogMelPlan;
  readonly tokens: SpecialTokens;
  readonly vocabulary: WhisperVocabulary;
  /** 0.02: 30 s over 1,500 positions of the encoder. */
  readonly secondsPerTimestamp: number;
  /** Positions of the decoder, prompt included: 448. */
  readonly positionsMax: number;
  readonly suppressed: readonly number[];
  readonly suppressedFirst: readonly number[];
  readonly firstTimestampMax: number | null;
  /** What the checkpoint was made for, when a caller does not say: a code, and a task. */
  readonly usualLanguage: string | null;
  readonly usualTask: 'transcribe' | 'translate';
  readonly secondsMax: number;
  /** By which heads words are timed, or why they can not be. */
  readonly alignment: AlignmentHeads | AlignmentFault;
}

export async function readWhisperFiles(files: ModelFiles, config: Json): Promise<WhisperFiles> {
  const read = async (name: string) => (await readJson(files, name)) ?? {};
  const tokenizer = await readJson(files, 'tokenizer.json');
  if (!tokenizer) throw new Error(`Model ${files.id} has no tokenizer.json. Copy it from where the model came from.`);
  const generation = await read('generation_config.json');
  const tokens = readSpecialTokens(tokenizer, generation, config);
  const mel = readMelPlan(await read('preprocessor_config.json'), config);
  const idsOf = (key: string) => ((generation[key] ?? config[key] ?? []) as readonly number[]).filter((id) => id >= 0);
  const latest = generation['max_initial_timestamp_index'];
  return {
    mel,
    tokens,
    vocabulary: readVocabulary(tokenizer, await read('tokenizer_config.json'), tokens.end),
    secondsPerTimestamp: mel.windowSamples / mel.sampleRate / Number(config['max_source_positions'] ?? 1500),
    positionsMax: Number(config['max_target_positions'] ?? 448),
    suppressed: idsOf('suppress_tokens'),
    suppressedFirst: idsOf('begin_suppress_tokens'),
    firstTimestampMax: typeof latest === 'number' ? latest : null,
    ...readUsual(generation, config, tokens),
    secondsMax: files.limits.audioSecondsMax ?? audioSecondsMax,
    alignment: readAlignment(files, generation, config),
  };
}

/** transformers' defaults are those of the first checkpoints. */
function readMelPlan(processor: Json, config: Json): LogMelPlan {
  const number = (key: string, usual: number) => Number(processor[key] ?? usual);
  const sampleRate = number('sampling_rate', 16_000);
  return {
    sampleRate,
    fftSize: number('n_fft', 400),
    hop: number('hop_length', 160),
    mels: Number(processor['feature_size'] ?? config['num_mel_bins'] ?? 80),
    windowSamples: number('chunk_length', 30) * sampleRate,
  };
}

/**
 * `language` and `task` of the generation config, or the `forced_decoder_ids` of older checkpoints, where transformers
 * falls back to config.json. A language of null is detected.
 */
function readUsual(
  generation: Json,
  config: Json,
  { multilingual }: SpecialTokens,
): Pick<WhisperFiles, 'usualLanguage' | 'usualTask'> {
  const forced = (generation['forced_decoder_ids'] ?? config['forced_decoder_ids'] ?? []) as readonly unknown[][];
  const ids = forced.map((pair) => pair[1]);
  const isNamed = (generation['language'] ?? generation['task'] ?? null) !== null;
  const forcedLanguage = [...(multilingual?.languages ?? [])].find(([, id]) => ids.includes(id))?.[0] ?? null;
  const translates = isNamed ? generation['task'] === 'translate' : ids.includes(multilingual?.translate ?? Number.NaN);
  const named = generation['language'];
  return {
    usualLanguage: isNamed ? (typeof named === 'string' ? named : null) : forcedLanguage,
    usualTask: translates ? 'translate' : 'transcribe',
  };
}
