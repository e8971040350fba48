/**
 * Ids of Whisper's special tokens, from tokenizer.json and generation_config.json. Multilingual models have a language
 * and a task after the start; English-only ones keep the tokens in their vocabulary but never saw them.
 */
import type { Json } from '../../../repository/version-files.ts';

export interface SpecialTokens {
  /** Text has lower ids; it also stops. */
  readonly end: number;
  readonly start: number;
  /** Before the text that a `prompt` gives. */
  readonly startOfPrevious: number;
  readonly noSpeech: number;
  readonly noTimestamps: number;
  /** <|0.00|>; the others follow in steps of 20 ms. */
  readonly firstTimestamp: number;
  /** Null for an English-only model. */
  readonly multilingual: {
    readonly languages: ReadonlyMap<string, number>;
    readonly transcribe: number;
    readonly translate: number;
  } | null;
}

/** Throws an Error that names the token that is missing. */
export function readSpecialTokens(tokenizer: Json, generation: Json, config: Json): SpecialTokens {
  const added = (tokenizer['added_tokens'] ?? []) as readonly { content: string; id: number }[];
  const ids = new Map(added.map(({ content, id }) => [content, id]));
  const idOf = (...contents: readonly string[]): number => {
    const id = contents.map((content) => ids.get(content)).find((found) => found !== undefined);
    if (id === undefined)
      throw new Error(`tokenizer.json has no ${contents.join(' or ')}: it is not of a Whisper model.`);
    return id;
  };
  const noTimestamps = idOf('<|notimestamps|>');
  const languages = readLanguages(generation, ids);
  return {
    end: idOf('<|endoftext|>'),
    start: Number(config['decoder_start_token_id'] ?? idOf('<|startoftranscript|>')),
    startOfPrevious: idOf('<|startofprev|>'),
    // Its name changed with the tokenizers of 2023.
    noSpeech: idOf('<|nospeech|>', '<|nocaptions|>'),
    noTimestamps,
    firstTimestamp: noTimestamps + 1,
    multilingual: isMultilingual(generation, config)
      ? { languages, transcribe: idOf('<|transcribe|>'), translate: idOf('<|translate|>') }
      : null,
  };
}

/** As transformers: the generation config says so; openai/whisper tells by the vocabulary, which has one token more. */
function isMultilingual(generation: Json, config: Json): boolean {
  const said = generation['is_multilingual'];
  return typeof said === 'boolean' ? said : Number(config['vocab_size'] ?? 0) >= 51_865;
}

/** By code. `lang_to_id` where there is one; else the tokens between the start and the tasks, which are languages. */
function readLanguages(generation: Json, ids: ReadonlyMap<string, number>): Map<string, number> {
  const table = generation['lang_to_id'];
  const bare = (token: string) => token.replace(/^<\|(.*)\|>$/, '$1');
  if (typeof table === 'object' && table !== null)
    return new Map(Object.entries(table).map(([token, id]) => [bare(token), Number(id)]));
  const [first, last] = [ids.get('<|startoftranscript|>') ?? 0, ids.get('<|translate|>') ?? 0];
  return new Map([...ids].filter(([, id]) => id > first && id < last).map(([token, id]) => [bare(token), id]));
}
