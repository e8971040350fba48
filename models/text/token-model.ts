/**
 * The one door to @huggingface/tokenizers: its models (WordPiece, BPE, Unigram, word level) cut a piece into tokens, its
 * post-processors put special tokens around them, and it reads Oniguruma's expressions. Normalisers, pre-tokenisers and
 * added tokens are our own, since its differ from the Rust tokenisers that models were trained with.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import type { TokenMarks } from './align-tokens.ts';
import { rememberPieces } from './remember-pieces.ts';
import type { CompilePattern } from './step-config.ts';
import type { PostProcess } from './text-pair.ts';

export interface TokenModel {
  tokensOf(piece: string): readonly string[];
  /** Of a token of the vocabulary; that of the unknown token for all else. */
  idOf(token: string): number;
  readonly unknownId: number | null;
  /** Neighbouring unknown tokens of a piece are one token. */
  readonly fusesUnknown: boolean;
  readonly marks: TokenMarks;
  readonly postProcess: PostProcess | null;
}

type Json = Readonly<Record<string, unknown>>;

/** The library's inside, as version 0.2.0 (pinned) has it. */
interface Inside {
  readonly model: {
    encode(pieces: string[]): string[];
    readonly tokens_to_ids: ReadonlyMap<string, number>;
    readonly unk_token_id: number | undefined;
    readonly unk_token: string | undefined;
  };
  readonly post_processor: PostProcess | null;
}

export function openModel(json: Json, config: Json): TokenModel {
  const own = json['model'] as Json;
  const steps = { normalizer: null, pre_tokenizer: null, decoder: null, added_tokens: [] };
  // Word-level models take the unknown word from the config only; without it an unknown word would get no id.
  const library = new Tokenizer(
    { ...json, ...steps },
    { ...(own['unk_token'] ? { unk_token: own['unk_token'] } : {}), ...config },
  );
  const { model, post_processor } = library as unknown as Inside;
  const isUnigram = Array.isArray(own['vocab']);
  const isKnown = (token: string) => model.tokens_to_ids.has(token);
  const fallsBack = own['byte_fallback'] === true;
  return {
    tokensOf: isUnigram
      ? rememberPieces((piece) => joinUnknown(model.encode([piece]), isKnown, fallsBack))
      : (piece) => model.encode([piece]),
    idOf: (token) => model.tokens_to_ids.get(token) ?? model.unk_token_id ?? 0,
    unknownId: model.unk_token_id ?? null,
    fusesUnknown: own['fuse_unk'] === true,
    marks: readMarks(own, model.unk_token),
    postProcess: post_processor,
  };
}

/** Unigram gives unknown characters one by one, as they are. In Rust a run of them is one token, or its bytes. */
function joinUnknown(tokens: readonly string[], isKnown: (token: string) => boolean, fallsBack: boolean): string[] {
  const joined: string[] = [];
  let run = '';
  const flush = () => {
    if (run === '') return;
    const bytes = [...Buffer.from(run)].map((byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    joined.push(...(fallsBack && bytes.every(isKnown) ? bytes : [run]));
    run = '';
  };
  for (const token of tokens) {
    if (!isKnown(token)) run += token;
    else {
      flush();
      joined.push(token);
    }
  }
  flush();
  return joined;
}

function readMarks(model: Json, unknown: string | undefined): TokenMarks {
  const text = (key: string) => (typeof model[key] === 'string' ? (model[key] as string) : '');
  return {
    continuingPrefix: text('continuing_subword_prefix'),
    suffixes: [text('end_of_word_suffix'), text('continuing_subword_suffix')].filter((suffix) => suffix !== ''),
    unknown,
    isUnknownWhole: model['type'] !== 'BPE' && model['type'] !== 'Unigram',
  };
}

export const compilePattern: CompilePattern = (pattern) => {
  const parts = { pre_tokenizer: null, post_processor: null, decoder: null, added_tokens: [] };
  const model = { type: 'WordPiece', vocab: {}, unk_token: '' };
  const library = new Tokenizer({ ...parts, model, normalizer: { type: 'Replace', pattern, content: '' } }, {});
  const { pattern: compiled } = (library as unknown as { normalizer: { pattern: RegExp | null } }).normalizer;
  if (!compiled) throw new Error('A pattern of tokenizer.json has neither String nor Regex.');
  return compiled;
};
