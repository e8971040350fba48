/**
 * The symbols of a CTC model, from tokenizer.json (transformers.js layout) or vocab.json (PyTorch layout).
 */
import type { CtcVocabulary } from '../../../numeric/ctc-decode.ts';
import type { ModelFiles } from '../../../repository/model-files.ts';
import { type Json, readJson } from '../../../repository/version-files.ts';

export async function readCtcVocabulary(files: ModelFiles, config: Json): Promise<CtcVocabulary> {
  const tokenizer = await readJson(files, 'tokenizer.json');
  const tokenizerConfig = (await readJson(files, 'tokenizer_config.json')) ?? {};
  const words = tokenizer ? wordsOf(tokenizer) : await readJson(files, 'vocab.json');
  if (!words) throw new Error(`Model ${files.id} has neither tokenizer.json nor vocab.json.`);
  const table = ownLanguage(words, tokenizerConfig);
  const symbols: string[] = [];
  for (const [symbol, id] of Object.entries(table)) symbols[Number(id)] = symbol;
  const idOf = (token: unknown) => (token === undefined ? -1 : symbols.indexOf(contentOf(token)));
  const decoder = (tokenizer?.['decoder'] ?? {}) as Json;
  const blank = idOf(tokenizerConfig['pad_token'] ?? decoder['pad_token'] ?? '<pad>');
  return {
    symbols: tokenizerConfig['do_lower_case'] === true ? symbols.map((symbol) => symbol.toLowerCase()) : symbols,
    blank: blank >= 0 ? blank : Number(config['pad_token_id'] ?? 0),
    delimiter: idOf(tokenizerConfig['word_delimiter_token'] ?? decoder['word_delimiter_token'] ?? '|'),
    silent: silentIds(tokenizer, tokenizerConfig, symbols),
  };
}

function wordsOf(tokenizer: Json): Json {
  const vocabulary = (tokenizer['model'] as Json)['vocab'] as Json;
  const added = (tokenizer['added_tokens'] ?? []) as readonly Json[];
  return { ...vocabulary, ...Object.fromEntries(added.map((token) => [String(token['content']), token['id']])) };
}

/** Multilingual models (MMS) keep one table per language. */
function ownLanguage(words: Json, tokenizerConfig: Json): Json {
  const language = tokenizerConfig['target_lang'];
  const nested = typeof language === 'string' ? words[language] : undefined;
  return typeof nested === 'object' && nested !== null ? (nested as Json) : words;
}

/** Never written: sentence marks, unknown, and whatever tokenizer.json calls special. */
function silentIds(tokenizer: Json | null, tokenizerConfig: Json, symbols: readonly string[]): Set<number> {
  const marks = ['bos_token', 'eos_token', 'unk_token'].map((key) => contentOf(tokenizerConfig[key] ?? ''));
  const added = (tokenizer?.['added_tokens'] ?? []) as readonly Json[];
  const special = added.filter((token) => token['special'] === true).map((token) => String(token['content']));
  const silent = ['<s>', '</s>', '<unk>', '<pad>', '[UNK]', '[PAD]', ...marks, ...special];
  return new Set(silent.map((symbol) => symbols.indexOf(symbol)).filter((id) => id >= 0));
}

/** Configs write a token as a string or as an object with `content`. */
function contentOf(token: unknown): string {
  if (typeof token === 'object' && token !== null) return String((token as Json)['content'] ?? '');
  return String(token);
}
