/**
 * A text and its prompt as the ids that an encoder reads, cut or refused where there are too many. Runs where items are
 * prepared; loads the tokeniser.
 */
import type { ModelFiles } from '../../repository/model-files.ts';
import { readConfig, readJson } from '../../repository/version-files.ts';
import { checkTokens, tokenLimit } from '../../text/token-limit.ts';
import type { TextTokenizer } from '../../text/tokenizer.ts';
import { type PromptWish, readPrompts } from './prompts.ts';

export interface EncodingWish extends PromptWish {
  readonly truncate?: boolean;
  readonly truncation_direction?: 'right' | 'left';
}

export interface EncodedText {
  readonly ids: Int32Array;
  /** Tokens of the prompt, with the special ones before it. */
  readonly promptTokens: number;
}

export async function createEncoder(files: ModelFiles): Promise<(text: string, wish: EncodingWish) => EncodedText> {
  // Imported late: a lane starts without the tokeniser library.
  const { loadTokenizer } = await import('../../text/tokenizer.ts');
  const tokenizer = await loadTokenizer(files.versionFolder);
  const sentenceConfig = await readJson(files, 'sentence_bert_config.json');
  const config = await readConfig(files);
  const limit = tokenLimit({ config, tokenizerConfig: tokenizer.config, sentenceConfig, limits: files.limits });
  const pickPrompt = await readPrompts(files);
  const lower = sentenceConfig?.['do_lower_case'] === true;
  return (text, wish) => {
    const prompt = pickPrompt(wish);
    const whole = lower ? (prompt + text).toLowerCase() : prompt + text;
    const ids = tokenizer.encode(whole);
    if (wish.truncate !== true) checkTokens(ids.length, limit);
    const promptTokens = prompt === '' ? 0 : tokenizer.encode(prompt).length - tokenizer.specialsAfter;
    return { ids: cutIds(ids, limit, tokenizer, wish), promptTokens };
  };
}

/** The tokens that fit, from the beginning or from the end; special ones stay. */
function cutIds(
  ids: Int32Array,
  limit: number,
  { specialsBefore, specialsAfter }: TextTokenizer,
  { truncation_direction }: EncodingWish,
): Int32Array {
  if (ids.length <= limit) return ids;
  const kept = limit - specialsBefore - specialsAfter;
  const from = truncation_direction === 'left' ? ids.length - specialsAfter - kept : specialsBefore;
  const cut = new Int32Array(limit);
  cut.set(ids.subarray(0, specialsBefore));
  cut.set(ids.subarray(from, from + kept), specialsBefore);
  cut.set(ids.subarray(ids.length - specialsAfter), limit - specialsAfter);
  return cut;
}
