import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openModel } from './token-model.ts';

// Expected tokens are those of the Python package tokenizers 0.22.
it('writes what Unigram does not know as bytes where all of a run have tokens, and else as one token', () => {
  const words = ['<unk>', 'a', '<0xD1>', '<0x8F>'];
  const tokensOf = (byte_fallback: boolean, piece: string) =>
    openModel(
      {
        post_processor: null,
        model: { type: 'Unigram', unk_id: 0, byte_fallback, vocab: words.map((word, at) => [word, -at]) },
      },
      {},
    ).tokensOf(piece);
  assert.deepEqual(tokensOf(true, 'aяяa'), ['a', '<0xD1>', '<0x8F>', '<0xD1>', '<0x8F>', 'a']);
  assert.deepEqual(tokensOf(true, 'aяюa'), ['a', 'яю', 'a']);
  assert.deepEqual(tokensOf(false, 'aяяa'), ['a', 'яя', 'a']);
});
