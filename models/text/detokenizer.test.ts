import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tokenizer } from '@huggingface/tokenizers';
import type { Json } from '../repository/version-files.ts';
import { createDetokenizer } from './detokenizer.ts';

const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };

/** A word-level tokenizer.json of these tokens with this decoder; `<s>` is special. */
function tokenizerOf(tokens: readonly string[], decoder: Json | null): Json {
  const all = ['<s>', ...tokens];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    normalizer: null,
    post_processor: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    added_tokens: [{ id: 0, content: '<s>', ...special }],
    decoder,
    model: { type: 'WordLevel', vocab: Object.fromEntries(all.map((token, id) => [token, id])), unk_token: '<s>' },
  };
}

const cases: Readonly<Record<string, readonly [tokens: readonly string[], decoder: Json | null, text: string]>> = {
  'no decoder': [['a', 'b'], null, 'a b'],
  'byte level': [['Ð', '°', 'Ġx', 'âĤ', '¬'], { type: 'ByteLevel' }, 'а x€'],
  metaspace: [['▁He', 'llo', '▁▁w'], { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' }, 'Hello  w'],
  'metaspace without prefix': [['▁a', 'b'], { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never' }, ' ab'],
  WordPiece: [['play', '##ing', ',', 'it'], { type: 'WordPiece', prefix: '##', cleanup: true }, 'playing, it'],
  'BPE with a suffix': [['lo', 'w</w>', 'x</w>'], { type: 'BPEDecoder', suffix: '</w>' }, 'low x'],
  'bytes beside pieces': [
    ['▁hi', '<0xE2>', '<0x82>', '<0xAC>', '<0xFF>', '▁x'],
    {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    // The four bytes are looked at together, and are no UTF-8 with the last.
    'hi���� x',
  ],
};

describe('reading tokens as text', () => {
  for (const [name, [tokens, decoder, text]] of Object.entries(cases))
    it(`does so by ${name}`, () => {
      const ids = tokens.map((_, index) => index + 1);
      const json = tokenizerOf(tokens, decoder);
      assert.equal(createDetokenizer(json, {}).decode([0, ...ids]), text);
    });

  it('gives what the library gives where both know the decoder', () => {
    for (const name of ['byte level', 'metaspace', 'WordPiece', 'BPE with a suffix']) {
      const [tokens, decoder] = cases[name] as (typeof cases)[string];
      const json = tokenizerOf(tokens, decoder);
      const library = new Tokenizer(json, { unk_token: '<s>', clean_up_tokenization_spaces: false });
      const ids = tokens.map((_, index) => index + 1);
      const own = createDetokenizer(json, {}).decode(ids);
      assert.equal(own, library.decode(ids, { skip_special_tokens: true }), name);
    }
  });

  it('reads unigram vocabularies, shows special tokens when told, and knows ids by token', () => {
    const json = {
      ...tokenizerOf([], null),
      model: {
        type: 'Unigram',
        vocab: [
          ['<s>', 0],
          ['a', -1],
        ],
      },
    };
    const detokenizer = createDetokenizer(json, {});
    assert.equal(detokenizer.decode([0, 1], new Set()), '<s> a');
    assert.equal(detokenizer.decode([0, 1, 7]), 'a');
    assert.deepEqual([detokenizer.idOf('a'), detokenizer.idOf('b')], [1, undefined]);
  });

  it('tidies spaces only where the config asks for it, and names a decoder that it does not know', () => {
    const json = tokenizerOf(['a', '.'], null);
    assert.equal(createDetokenizer(json, {}).decode([1, 2]), 'a .');
    assert.equal(createDetokenizer(json, { clean_up_tokenization_spaces: true }).decode([1, 2]), 'a.');
    assert.throws(() => createDetokenizer(tokenizerOf([], { type: 'Odd' }), {}), /decoder Odd/);
  });
});
