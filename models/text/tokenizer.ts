/**
 * Loads tokenizer.json and encodes, with exact offsets when asked. Truncation and padding that tokenizer.json may carry are
 * not applied, and must not be: limits are the pipeline's, padding is `collate`'s.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PairFrame, readPairFrame } from './text-pair.ts';
import { type AlignedEncoding, TokenWalk } from './token-walk.ts';

type Json = Readonly<Record<string, unknown>>;

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

export async function loadTokenizer(versionFolder: string): Promise<TextTokenizer> {
  const json = JSON.parse(await readTokenizerFile(versionFolder)) as Json;
  const configText = await readFile(join(versionFolder, 'tokenizer_config.json'), 'utf8').catch(() => '{}');
  return createTokenizer(json, JSON.parse(configText) as Json);
}

export function createTokenizer(json: Json, config: Json): TextTokenizer {
  const walk = new TokenWalk(json, config);
  const { model } = walk;
  const { continuingPrefix } = model.marks;
  return {
    encode: (text) => Int32Array.from([...walk.before, ...walk.encode(text), ...walk.after]),
    encodeAligned: (text) => walk.encodeAligned(text),
    encodeBare: (text) => Int32Array.from(walk.encode(text)),
    pairFrame: () => readPairFrame(model.postProcess, (token) => walk.idOf(token)),
    marksSubwords: continuingPrefix !== '',
    unknownId: model.unknownId,
    specialsBefore: walk.before.length,
    specialsAfter: walk.after.length,
    config,
  };
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
