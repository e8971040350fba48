/**
 * What a caller's prompt becomes, by the family of the model: tokens that the decoder goes on from, in place of its start
 * token (Donut) or behind it; or a question that the encoder reads beside the picture (Florence-2).
 */
import { Problem } from '../../../shared/problems/problem.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import { type Json, readJson } from '../../repository/version-files.ts';
import type { TextTokenizer } from '../../text/tokenizer.ts';
import { type RegionKind, readFlorencePrompt, usualTask } from './florence/tasks.ts';

export type Family = 'plain' | 'donut' | 'florence' | 'blip';

export interface Prompt {
  /** For the decoder, without its start token. */
  readonly decoderIds: readonly number[];
  /** For the encoder; absent where it reads nothing but the picture. */
  readonly encoderIds?: Int32Array;
  /** How the answer tells places; absent for text alone. */
  readonly regions?: RegionKind;
}

export function familyOf(config: Json): Family {
  const encoder = String((config['encoder'] as Json | undefined)?.['model_type'] ?? '');
  if (encoder.includes('donut')) return 'donut';
  if (config['model_type'] === 'florence2') return 'florence';
  return config['model_type'] === 'blip' ? 'blip' : 'plain';
}

/** BLIP's decoder starts and stops by tokens that its text configuration names, whatever else says; by default BERT's. */
export function blipIds(config: Json): Json {
  const text = (config['text_config'] ?? {}) as Json;
  return {
    decoder_start_token_id: text['bos_token_id'] ?? 30_522,
    eos_token_id: text['sep_token_id'] ?? 102,
    pad_token_id: text['pad_token_id'] ?? 0,
  };
}

/** Imported late: a lane starts without the tokeniser's library. */
export async function createPromptReader(
  files: ModelFiles,
  family: Family,
  positionsMax: number,
): Promise<(prompt: string | undefined) => Prompt> {
  const { loadTokenizer } = await import('../../text/tokenizer.ts');
  const tokenizer = await loadTokenizer(files.versionFolder);
  if (family === 'florence') {
    const processor = (await readJson(files, 'preprocessor_config.json')) ?? {};
    const tokensMax = positionsMax - Number(processor['image_seq_length'] ?? 0);
    return (prompt = usualTask) => askedOf(tokenizer, prompt, tokensMax);
  }
  return (prompt) => ({ decoderIds: prompt ? bareIds(tokenizer, prompt) : [] });
}

/** Without what the post-processor adds: the decoder goes on from the prompt, it is no sentence. */
function bareIds(tokenizer: TextTokenizer, prompt: string): number[] {
  const { ids, words } = tokenizer.encodeAligned(prompt);
  return [...ids].filter((_, index) => (words[index] ?? -1) >= 0);
}

function askedOf(tokenizer: TextTokenizer, prompt: string, tokensMax: number): Prompt {
  const { sentence, regions } = readFlorencePrompt(prompt);
  const encoderIds = tokenizer.encode(sentence);
  if (encoderIds.length > tokensMax) {
    const detail = `The prompt has ${encoderIds.length} tokens; beside the picture there is room for ${tokensMax}. Shorten it.`;
    throw new Problem('input-too-long', detail);
  }
  return { decoderIds: [], encoderIds, ...(regions && { regions }) };
}
