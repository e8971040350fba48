/**
 * What config.json and generation_config.json say of writing: start, stop and pad tokens, lengths, suppressed tokens, no
 * repeats, beams. Pure but for `readGenerationConfig`.
 */
import type { ModelFiles } from '../repository/model-files.ts';
import { type Json, readJson } from '../repository/version-files.ts';
import type { Sampling } from '../task.ts';

export interface GenerationDefaults {
  readonly startId: number;
  readonly stopIds: readonly number[];
  /** New tokens; null when the files do not say. */
  readonly tokensMax: number | null;
  readonly sampling: Sampling;
  readonly rules: LogitsRules;
}

/** Constraints that a model's files may ask for; `logits-rules.ts` applies them. */
export interface LogitsRules {
  readonly suppressed: readonly number[];
  readonly suppressedAtBegin: readonly number[];
  readonly forcedFirst: number | null;
  readonly forcedLast: readonly number[];
  readonly tokensMin: number;
  readonly noRepeatNgram: number;
  readonly repetitionPenalty: number;
}

const idKeys = ['decoder_start_token_id', 'bos_token_id', 'eos_token_id', 'pad_token_id'];
/** What old releases of transformers wrote into every config.json: nobody chose it. */
const unchosenLength = 20;

/** generation_config.json; what it does not say of tokens is in config.json, and in old exports everything is. */
export async function readGenerationConfig(files: ModelFiles, config: Json): Promise<Json> {
  const own = await readJson(files, 'generation_config.json');
  const { max_length: lengthMax, ...legacy } = config;
  const chosen = { ...legacy, ...(lengthMax !== unchosenLength && { max_length: lengthMax }) };
  const ids = (json: Json) => Object.fromEntries(idKeys.map((key) => [key, json[key] ?? null]));
  const decoder = (config['decoder'] ?? config['text_config'] ?? {}) as Json;
  return { ...withoutNulls(ids(decoder)), ...withoutNulls(own ? ids(config) : chosen), ...withoutNulls(own ?? {}) };
}

export function readDefaults(generation: Json): GenerationDefaults {
  const startId = numberOf(generation, 'decoder_start_token_id') ?? numberOf(generation, 'bos_token_id');
  if (startId === null) throw new Error('Neither config.json nor generation_config.json has decoder_start_token_id.');
  const stopIds = idsOf(generation['eos_token_id']);
  const lengthMax = numberOf(generation, 'max_length');
  return {
    startId,
    stopIds,
    tokensMax: numberOf(generation, 'max_new_tokens') ?? (lengthMax === null ? null : lengthMax - 1),
    sampling: samplingOf(generation),
    rules: {
      suppressed: idsOf(generation['suppress_tokens']),
      suppressedAtBegin: idsOf(generation['begin_suppress_tokens']),
      forcedFirst: numberOf(generation, 'forced_bos_token_id'),
      forcedLast: idsOf(generation['forced_eos_token_id']),
      tokensMin: numberOf(generation, 'min_new_tokens') ?? Math.max(0, (numberOf(generation, 'min_length') ?? 0) - 1),
      noRepeatNgram: numberOf(generation, 'no_repeat_ngram_size') ?? 0,
      repetitionPenalty: numberOf(generation, 'repetition_penalty') ?? 1,
    },
  };
}

/** Tokens that the decoder has positions for, prompt included; exports beyond it read past their table. */
export function readPositionsMax(config: Json): number {
  const decoder = (config['decoder'] ?? config['text_config'] ?? config) as Json;
  for (const key of ['max_position_embeddings', 'max_target_positions', 'n_positions', 'n_ctx']) {
    const value = numberOf(decoder, key);
    if (value !== null) return value;
  }
  throw new Error('config.json does not say how many positions the decoder has (decoder.max_position_embeddings).');
}

/** Sampling only where the files say `do_sample`; beams otherwise. */
function samplingOf(generation: Json): Sampling {
  const beams = numberOf(generation, 'num_beams') ?? 1;
  const lengthPenalty = numberOf(generation, 'length_penalty') ?? 1;
  const search = beams > 1 ? { beams, lengthPenalty, earlyStopping: generation['early_stopping'] === true } : {};
  if (generation['do_sample'] !== true) return { temperature: 0, ...search };
  return {
    temperature: numberOf(generation, 'temperature') ?? 1,
    // As transformers: 50 when absent.
    topK: numberOf(generation, 'top_k') ?? 50,
    topP: numberOf(generation, 'top_p') ?? 1,
  };
}

function numberOf(json: Json, key: string): number | null {
  const value = json[key];
  return typeof value === 'number' ? value : null;
}

function idsOf(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter((id): id is number => typeof id === 'number');
}

function withoutNulls(json: Json): Json {
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}
