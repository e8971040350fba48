/**
 * What of the written tokens callers see. Donut's tags (`<s_menu>`) and Florence-2's places (`<loc_7>`) are special tokens and
 * the very content, so of those families only the tokens with a role (start, end, padding) are hidden; else all special ones,
 * as Hugging Face's pipeline does.
 */
import type { ModelFiles } from '../../repository/model-files.ts';
import { readJson } from '../../repository/version-files.ts';
import { createDetokenizer } from '../../text/detokenizer.ts';
import type { Family } from './prompts.ts';

export interface TextDecoding {
  decode(ids: readonly number[]): string;
}

const roles = ['bos_token', 'eos_token', 'pad_token', 'unk_token', 'cls_token', 'sep_token', 'mask_token'];

export async function readTextDecoder(files: ModelFiles, family: Family): Promise<TextDecoding> {
  const tokenizer = await readJson(files, 'tokenizer.json');
  if (!tokenizer) throw new Error(`Model ${files.id} has no tokenizer.json: save its tokenizer as a fast one.`);
  const config = (await readJson(files, 'tokenizer_config.json')) ?? {};
  const detokenizer = createDetokenizer(tokenizer, config);
  if (family !== 'donut' && family !== 'florence') return detokenizer;
  const names = { ...(await readJson(files, 'special_tokens_map.json')), ...config };
  const hidden = new Set(roles.flatMap((role) => detokenizer.idOf(contentOf(names[role])) ?? []));
  return { decode: (ids) => detokenizer.decode(ids, hidden).trim() };
}

/** `"</s>"` or `{"content": "</s>", ...}`. */
function contentOf(token: unknown): string {
  if (typeof token === 'string') return token;
  return String((token as { content?: unknown } | null | undefined)?.content ?? '');
}
