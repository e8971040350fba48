import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTokenizer } from './tokenizer.ts';

const words = ['[UNK]', 'молоко', ',', 'хлеб', '3', '.', '5', 'a_b', '!?', '\u{2070e}', '\u{20731}', '中'];
const create = (parts: object) =>
  createTokenizer(
    {
      added_tokens: [],
      normalizer: null,
      post_processor: null,
      decoder: null,
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      },
      ...parts,
    },
    {},
  );
const tokensOf = (tokenizer: ReturnType<typeof create>, text: string) =>
  [...tokenizer.encode(text)].map((id) => words[id]);

// Expected pieces are those of the Python package tokenizers 0.22.
describe('tokenisers as the Rust ones', () => {
  it('set every ideograph apart, also beyond the basic plane', () => {
    const bert = create({
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
    });
    assert.deepEqual(tokensOf(bert, '\u{2070e}\u{20731}中'), ['\u{2070e}', '\u{20731}', '中']);
  });

  it('split words from signs in any script', () => {
    const tokenizer = create({ pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Whitespace' }] } });
    assert.deepEqual(tokensOf(tokenizer, 'молоко, хлеб3'), ['молоко', ',', '[UNK]']);
    assert.deepEqual(tokensOf(tokenizer, '3.5 a_b!? хлеб'), ['3', '.', '5', 'a_b', '!?', 'хлеб']);
  });
});
