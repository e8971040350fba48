/**
 * The one door to @huggingface/tokenizers: loads tokenizer.json and encodes, with exact offsets when asked. The library
 * gives ids but no offsets, so `encodeAligned` walks the same steps (added tokens, normaliser, pre-tokeniser, model,
 * post-processor) with a text that remembers where its units came from. Truncation and padding that tokenizer.json may
 * carry are not applied by the library, and must not be: limits are the pipeline's, padding is `collate`'s.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { mapAligned, type NormalizerLike, normalizeAligned, stripAligned } from './align-normalizer.ts';
import { type PreTokenizerConfig, type PreTokenizerLike, splitAligned } from './align-pieces.ts';
import { locateTokens, type TokenMarks, type TokenRange } from './align-tokens.ts';
import { type AlignedText, alignSource, replaceAligned, sliceAligned } from './aligned-text.ts';
import { fixNormalizer, fixPreTokenizer } from './library-fixes.ts';
import { type PairFrame, type PostProcess, readPairFrame } from './text-pair.ts';

export interface AlignedEncoding {
  readonly ids: Int32Array;
  readonly tokens: readonly string[];
  /** UTF-16 positions in the text; equal for special tokens and those that stand for nothing visible. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Which pre-token ("word") a token belongs to; -1 for tokens that the post-processor added. */
  readonly words: Int32Array;
}

export interface TextTokenizer {
  /** Ids with special tokens. */
  encode(text: string): Int32Array;
  encodeAligned(text: string): AlignedEncoding;
  /** Ids without special tokens: one text of a pair. */
  encodeBare(text: string): Int32Array;
  /** What stands around the texts of a pair. Throws where the tokeniser makes none. */
  pairFrame(): PairFrame;
  /** True when pieces of a word carry a mark ("##"), so that a word is what the pre-tokeniser made. */
  readonly marksSubwords: boolean;
  readonly unknownId: number | null;
  /** Special tokens that the post-processor puts before and after a text: truncation must keep them. */
  readonly specialsBefore: number;
  readonly specialsAfter: number;
  readonly config: Readonly<Record<string, unknown>>;
}

/** The library's inside, as version 0.2.0 (pinned) has it. */
interface Inside {
  readonly normalizer: NormalizerLike | null;
  readonly pre_tokenizer: PreTokenizerLike | null;
  readonly model: {
    encode(pieces: string[]): string[];
    readonly tokens_to_ids: ReadonlyMap<string, number>;
    readonly unk_token_id: number | undefined;
    readonly unk_token: string | undefined;
    readonly fuse_unk: boolean;
  };
  readonly post_processor: PostProcess | null;
  readonly added_tokens_map: ReadonlyMap<string, { id: number; lstrip: boolean; rstrip: boolean }>;
  readonly splitter_unnormalized: { split(text: string): string[] };
  readonly splitter_normalized: { split(text: string): string[] };
  readonly remove_space: boolean | undefined;
  readonly do_lowercase_and_remove_accent: boolean;
}

type Json = Readonly<Record<string, unknown>>;
interface Located extends TokenRange {
  readonly word: number;
}

export async function loadTokenizer(versionFolder: string): Promise<TextTokenizer> {
  const json = JSON.parse(await readTokenizerFile(versionFolder)) as Json;
  const configText = await readFile(join(versionFolder, 'tokenizer_config.json'), 'utf8').catch(() => '{}');
  return createTokenizer(json, JSON.parse(configText) as Json);
}

export function createTokenizer(json: Json, config: Json): TextTokenizer {
  const model = json['model'] as Json;
  // Word-level models take the unknown word from the config only; without it an unknown word would get no id.
  const tokenizer = new Tokenizer(json, {
    ...(model['unk_token'] ? { unk_token: model['unk_token'] } : {}),
    ...config,
  });
  const inside = tokenizer as unknown as Inside;
  fixNormalizer(inside.normalizer);
  fixPreTokenizer(inside.pre_tokenizer, (json['pre_tokenizer'] ?? null) as PreTokenizerConfig);
  const walk = new AlignedWalk(inside, json);
  return {
    encode: (text) => Int32Array.from(tokenizer.encode(text).ids),
    encodeAligned: (text) => walk.encode(text),
    encodeBare: (text) => Int32Array.from(tokenizer.encode(text, { add_special_tokens: false }).ids),
    pairFrame: () => readPairFrame(inside.post_processor, (token) => walk.idOf(token)),
    marksSubwords: typeof model['continuing_subword_prefix'] === 'string' && model['continuing_subword_prefix'] !== '',
    unknownId: inside.model.unk_token_id ?? null,
    specialsBefore: walk.specialsBefore,
    specialsAfter: walk.specialsAfter,
    config,
  };
}

/** One tokeniser's steps, with alignment. Stateless between texts. */
class AlignedWalk {
  readonly #inside: Inside;
  readonly #preTokenizerConfig: PreTokenizerConfig;
  readonly #marks: TokenMarks;
  readonly specialsBefore: number;
  readonly specialsAfter: number;

  constructor(inside: Inside, json: Json) {
    this.#inside = inside;
    this.#preTokenizerConfig = (json['pre_tokenizer'] ?? null) as PreTokenizerConfig;
    this.#marks = readMarks(json['model'] as Json, inside.model.unk_token);
    const marker = '\u{f0000}';
    const around = inside.post_processor?.([marker], null, true).tokens ?? [marker];
    this.specialsBefore = Math.max(0, around.indexOf(marker));
    this.specialsAfter = around.length - this.specialsBefore - 1;
  }

  encode(text: string): AlignedEncoding {
    const located = this.#locate(text);
    const own = located.map((entry) => entry.token);
    const tokens = this.#inside.post_processor?.(own, null, true).tokens ?? own;
    const count = tokens.length;
    const result = {
      ids: Int32Array.from(tokens, (token) => this.idOf(token)),
      tokens,
      starts: new Int32Array(count),
      ends: new Int32Array(count),
      words: new Int32Array(count).fill(-1),
    };
    for (const [index, { start, end, word }] of located.entries()) {
      const [from, to] = tidyRange(text, start, end, located[index + 1]?.start ?? text.length);
      result.starts[index + this.specialsBefore] = from;
      result.ends[index + this.specialsBefore] = to;
      result.words[index + this.specialsBefore] = word;
    }
    return result;
  }

  idOf(token: string): number {
    const { added_tokens_map, model } = this.#inside;
    return added_tokens_map.get(token)?.id ?? model.tokens_to_ids.get(token) ?? model.unk_token_id ?? 0;
  }

  /** As the library's `encode_text`: added tokens are cut out before and after normalising. */
  #locate(text: string): Located[] {
    const { splitter_unnormalized, splitter_normalized, normalizer } = this.#inside;
    const located: Located[] = [];
    let word = 0;
    for (const [section, raw] of this.#cutOut(alignSource(text), splitter_unnormalized).entries()) {
      if (raw.text === '') continue;
      if (this.#isAdded(raw)) {
        located.push(wholeToken(raw, word++));
        continue;
      }
      const normalized = normalizeAligned(normalizer, this.#applyLegacyOptions(raw));
      for (const part of this.#cutOut(normalized, splitter_normalized)) {
        if (part.text === '') continue;
        const tokens = this.#isAdded(part) ? [wholeToken(part, word)] : this.#tokensOf(part, section, word);
        located.push(...tokens);
        word = (tokens.at(-1)?.word ?? word) + 1;
      }
    }
    return located;
  }

  #tokensOf(part: AlignedText, section: number, firstWord: number): Located[] {
    const { pre_tokenizer, model } = this.#inside;
    const pieces = splitAligned(pre_tokenizer, this.#preTokenizerConfig, part, section);
    const located = pieces.flatMap((piece, index) =>
      locateTokens(piece, model.encode([piece.text]), this.#marks).map((range) => ({
        ...range,
        word: firstWord + index,
      })),
    );
    return model.fuse_unk ? this.#fuseUnknown(located) : located;
  }

  /** Neighbouring unknown tokens become one, as the library does after the model. */
  #fuseUnknown(located: readonly Located[]): Located[] {
    const { tokens_to_ids, unk_token_id } = this.#inside.model;
    const isUnknown = (token: string) => (tokens_to_ids.get(token) ?? unk_token_id) === unk_token_id;
    const fused: Located[] = [];
    for (const entry of located) {
      const last = fused.at(-1);
      if (last && isUnknown(last.token) && isUnknown(entry.token))
        fused[fused.length - 1] = { ...last, end: entry.end };
      else fused.push(entry);
    }
    return fused;
  }

  #isAdded(aligned: AlignedText): boolean {
    return this.#inside.added_tokens_map.has(aligned.text);
  }

  #cutOut(aligned: AlignedText, splitter: { split(text: string): string[] }): AlignedText[] {
    let at = 0;
    const sections = splitter.split(aligned.text).map((section) => {
      at += section.length;
      return sliceAligned(aligned, at - section.length, at);
    });
    for (const [index, section] of sections.entries()) {
      const added = this.#inside.added_tokens_map.get(section.text);
      const [before, after] = [sections[index - 1], sections[index + 1]];
      if (added?.lstrip && before) sections[index - 1] = stripAligned(before, false, true);
      if (added?.rstrip && after) sections[index + 1] = stripAligned(after, true, false);
    }
    return sections;
  }

  #applyLegacyOptions(aligned: AlignedText): AlignedText {
    let text = aligned;
    if (this.#inside.remove_space === true) text = replaceAligned(stripAligned(text, true, true), /\s+/g, ' ');
    if (!this.#inside.do_lowercase_and_remove_accent) return text;
    return mapAligned((part) => part.toLowerCase().replace(/\p{M}/gu, ''), text);
  }
}

function wholeToken(aligned: AlignedText, word: number): Located {
  const start = aligned.starts[0] ?? 0;
  return { token: aligned.text, start, end: aligned.ends[aligned.text.length - 1] ?? start, word };
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

/** Marks and joiners that belong to the character before them. */
const trailingMarks = /[\p{M}\u200d]+/uy;

/**
 * Offsets never include the white space that some tokenisers glue to a word, and never leave out marks on the last
 * letter, which accent stripping drops: "cafe\u0301" is one word of five code points.
 */
function tidyRange(text: string, start: number, end: number, next: number): [number, number] {
  const slice = text.slice(start, end);
  const left = slice.length - slice.trimStart().length;
  if (left === slice.length) return [start, end];
  const to = start + slice.trimEnd().length;
  if (to < end || to >= next) return [start + left, to];
  trailingMarks.lastIndex = to;
  const marks = trailingMarks.exec(text)?.[0].length ?? 0;
  return [start + left, Math.min(to + marks, next)];
}

async function readTokenizerFile(versionFolder: string): Promise<string> {
  try {
    return await readFile(join(versionFolder, 'tokenizer.json'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(
      'No tokenizer.json beside config.json. Copy it from where the model came from; of a slow tokenizer (vocab.txt ' +
        'alone) `AutoTokenizer.from_pretrained(...).save_pretrained(...)` in Python writes one.',
      { cause: error },
    );
  }
}
