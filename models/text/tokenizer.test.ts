import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { assetsFolder, skipWithoutAssets } from '../parity/assets.ts';
import { createTokenizer, loadTokenizer, type TextTokenizer } from './tokenizer.ts';

const added = (id: number, content: string) => ({ id, content, special: true, normalized: false });
const bertNormalizer = {
  type: 'BertNormalizer',
  clean_text: true,
  handle_chinese_chars: true,
  strip_accents: null,
  lowercase: true,
};
const template = {
  type: 'TemplateProcessing',
  single: [
    { SpecialToken: { id: '[CLS]', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '[SEP]', type_id: 0 } },
  ],
  pair: [],
  special_tokens: {
    '[CLS]': { id: '[CLS]', ids: [1], tokens: ['[CLS]'] },
    '[SEP]': { id: '[SEP]', ids: [2], tokens: ['[SEP]'] },
  },
};
const specials = ['[PAD]', '[CLS]', '[SEP]', '[UNK]', '[MASK]'];
const vocabulary = (words: readonly string[]) =>
  Object.fromEntries([...specials, ...words].map((word, id) => [word, id]));
const shell = (parts: Record<string, unknown>) => ({
  added_tokens: specials.map((content, id) => added(id, content)),
  normalizer: null,
  pre_tokenizer: null,
  post_processor: template,
  decoder: null,
  ...parts,
});

const letters = [...'abcdefghijklmnopqrstuvwxyzабвгдежзийклмнопрстуфхцчшщъыьэюяё0123456789.,!-сσς中'];
const wordPiece = () =>
  createTokenizer(
    shell({
      normalizer: bertNormalizer,
      pre_tokenizer: { type: 'BertPreTokenizer' },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 20,
        vocab: vocabulary([
          ...new Set([...letters, ...letters.map((letter) => `##${letter}`), 'молоко', 'play', '##ing', 'cafe']),
        ]),
      },
    }),
    {},
  );
const unigramWords = ['▁', '▁a', '▁мол', 'око', ...letters, '▁the', 'ing'];
const unigram = () =>
  createTokenizer(
    shell({
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Precompiled', precompiled_charsmap: '' },
          { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
          { type: 'Strip', strip_left: false, strip_right: true },
        ],
      },
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
      model: {
        type: 'Unigram',
        unk_id: 3,
        vocab: [...specials, ...unigramWords].map((word, at) => [word, -1 - (at % 7)]),
      },
    }),
    {},
  );
const byteUnits = [...Array(256).keys()].map((byte) => {
  const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  if (isPrintable) return String.fromCharCode(byte);
  const rank = byte < 33 ? byte : byte < 161 ? byte - 127 + 33 : 67;
  return String.fromCharCode(256 + rank);
});
const byteLevel = () =>
  createTokenizer(
    shell({
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true },
      model: {
        type: 'BPE',
        vocab: vocabulary([...byteUnits, 'Ġt', 'th', 'he', 'Ð¼', 'Ð¾']),
        merges: ['Ġ t', 't h', 'h e', 'Ð ¼', 'Ð ¾'],
      },
    }),
    {},
  );
const byteFallback = () =>
  createTokenizer(
    shell({
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Prepend', prepend: '▁' },
          { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
        ],
      },
      model: {
        type: 'BPE',
        unk_token: '[UNK]',
        fuse_unk: true,
        byte_fallback: true,
        vocab: vocabulary([
          '▁',
          ...letters,
          'мо',
          'th',
          ...[...Array(256).keys()].map((byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
        ]),
        merges: ['м о', 't h'],
      },
    }),
    {},
  );
const characters = () =>
  createTokenizer(
    shell({
      normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] },
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'WhitespaceSplit' },
          { type: 'Punctuation' },
          { type: 'Digits', individual_digits: true },
        ],
      },
      model: {
        type: 'BPE',
        unk_token: '[UNK]',
        fuse_unk: true,
        end_of_word_suffix: '</w>',
        vocab: vocabulary([...letters, ...letters.map((letter) => `${letter}</w>`)]),
        merges: [],
      },
    }),
    {},
  );
const kinds: Record<string, () => TextTokenizer> = { wordPiece, unigram, byteLevel, byteFallback, characters };

/** Texts that break offset arithmetic: astral letters, marks, composition, controls, right-to-left, added tokens. */
const fragments = fc.constantFrom(
  'play',
  'playing',
  'Молоко',
  'ΟΔΥΣΣΕΥΣ',
  'İstanbul',
  'Straße',
  'café',
  'cafe\u0301',
  'й',
  'и\u0306',
  '👩‍👩‍👧',
  '🏳️‍🌈',
  '🇷🇺',
  '中文',
  '한국어',
  '\u1112\u1161\u11ab',
  'ﬁ',
  '①',
  '\u0000',
  '\u00ad',
  '\u200b',
  '\ufeff',
  '\t',
  '\n',
  ' ',
  '  ',
  '\u00a0',
  '\u3000',
  '[SEP]',
  '[MASK]',
  '##ing',
  '𝔘',
  'עברית',
  'नमस्ते',
  '…',
  '~',
  '～',
  "don't",
  '3,5',
  '\ufffd',
  'ΑΣ.',
  '\u0301',
);
const texts = fc
  .array(fc.oneof({ weight: 3, arbitrary: fragments }, fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 12 })
  .map((parts) => parts.join(''));

function checkEncoding(tokenizer: TextTokenizer, text: string): void {
  const { ids, tokens, starts, ends, words } = tokenizer.encodeAligned(text);
  assert.deepEqual([...ids], [...tokenizer.encode(text)], 'ids are those of encoding the whole text');
  assert.equal(tokens.length, ids.length);
  let previous = 0;
  for (const index of ids.keys()) {
    const [start, end] = [starts[index] ?? -1, ends[index] ?? -1];
    if (words[index] === -1) continue;
    assert.ok(start <= end && end <= text.length, `token ${index} within the text: ${start}..${end}`);
    assert.ok(start >= previous, `starts never go back: ${start} after ${previous}`);
    assert.ok(text.slice(start, end).isWellFormed() || !text.isWellFormed(), 'no code point is cut');
    previous = start;
  }
}

describe('encoding with offsets', () => {
  for (const [name, create] of Object.entries(kinds)) {
    it(`gives the ids of a plain encoding, and offsets in order that cut no character (${name})`, () => {
      const tokenizer = create();
      fc.assert(
        fc.property(texts, (text) => checkEncoding(tokenizer, text)),
        { numRuns: 1500 },
      );
    });

    it(`covers every visible letter of a text exactly once (${name})`, () => {
      const tokenizer = create();
      for (const text of ['Молоко 3,5', 'play the 中文 game', 'ΟΔΥΣΣΕΥΣ ΑΣ.', 'İx a🙂b']) {
        const { starts, ends, words } = tokenizer.encodeAligned(text);
        const covered = new Set<number>();
        for (const index of words.keys())
          if (words[index] !== -1) for (let at = starts[index] ?? 0; at < (ends[index] ?? 0); at++) covered.add(at);
        const missed = [...text.matchAll(/[\p{L}\p{N}]/gu)].filter((match) => !covered.has(match.index));
        assert.deepEqual(
          missed.map((match) => match[0]),
          [],
          text,
        );
      }
    });
  }

  const slicesOf = (tokenizer: TextTokenizer, text: string) => {
    const { starts, ends, words } = tokenizer.encodeAligned(text);
    return [...words.keys()]
      .filter((index) => words[index] !== -1)
      .map((index) => text.slice(starts[index], ends[index]));
  };

  it('slices WordPiece tokens exactly, whatever was lower-cased, stripped or spaced out', () => {
    assert.deepEqual(slicesOf(wordPiece(), 'Playing Café 中文!'), ['Play', 'ing', 'Café', '中', '文', '!']);
    assert.deepEqual(slicesOf(wordPiece(), 'cafe\u0301\u00ad Молоко'), ['cafe\u0301', 'Молоко']);
    assert.deepEqual(slicesOf(wordPiece(), '👩‍👩‍👧 ok'), ['👩‍👩‍👧', 'o', 'k']);
    assert.deepEqual(slicesOf(wordPiece(), 'a [SEP] b'), ['a', '[SEP]', 'b']);
  });

  it('slices Metaspace and byte-level tokens without the space glued to them', () => {
    // A token that is nothing but a space keeps it.
    assert.deepEqual(slicesOf(byteLevel(), 'the мо the'), ['t', 'he', ' ', 'м', 'о', 't', 'he']);
    assert.deepEqual(slicesOf(unigram(), 'a  молоко').at(-1), 'око');
    assert.deepEqual(slicesOf(byteFallback(), 'м🙂').slice(-4), ['🙂', '🙂', '🙂', '🙂']);
  });

  it('puts the mark of words before the first piece of a text only, where an added token parts them', () => {
    const tokens = createTokenizer(
      shell({
        pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first' },
        post_processor: null,
        model: { type: 'WordLevel', unk_token: '[UNK]', vocab: vocabulary(['a', '▁a']) },
      }),
      {},
    );
    // So the Python package tokenizers 0.22 has it.
    for (const [text, expected] of [
      ['a[SEP]a', ['▁a', '[SEP]', 'a']],
      ['[SEP]a', ['[SEP]', 'a']],
      ['[SEP] a', ['[SEP]', '▁a']],
    ] as const)
      assert.deepEqual(tokens.encodeAligned(text).tokens, expected);
  });

  it('keeps up with real vocabularies on naughty strings', { skip: skipWithoutAssets() }, async () => {
    const blns = join(assetsFolder, 'text', 'blns');
    const files = ['blns.json', 'blns.txt'].map((file) => join(blns, file));
    const lines = files.flatMap((file) => {
      try {
        return readFileSync(file, 'utf8')
          .split('\n')
          .map((line) => line.slice(0, 400));
      } catch {
        return [];
      }
    });
    assert.ok(lines.length > 100);
    for (const folder of ['all-MiniLM-L6-v2', 'bert-base-ner', 'whisper-tiny-phowhisper']) {
      const tokenizer = await loadTokenizer(join(assetsFolder, 'tokenizers', folder));
      for (const line of lines) checkEncoding(tokenizer, line);
    }
  });
});

it('says which file is missing and where it comes from', async () => {
  await assert.rejects(loadTokenizer(import.meta.dirname), /^Error: No tokenizer\.json beside config\.json\. Copy it/);
});
