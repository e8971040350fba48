import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AddedToken, finderOf } from './added-tokens.ts';

const found = (tokens: readonly AddedToken[], text: string) =>
  finderOf(
    tokens,
    (content) => content,
  )(text).map(({ from, to, added }) => (added ? `<${text.slice(from, to)}>` : text.slice(from, to)));

// Expected sections are those of the Python package tokenizers 0.22.
describe('added tokens in a text', () => {
  it('are the longest of those that begin leftmost', () => {
    const tokens = [
      { id: 1, content: 'ab' },
      { id: 2, content: 'abc' },
      { id: 3, content: 'bcd' },
    ];
    assert.deepEqual(found(tokens, 'xabcdab'), ['x', '<abc>', 'd', '<ab>']);
  });

  it('take the white space beside them where they say so', () => {
    const mask = { id: 1, content: '<mask>', lstrip: true };
    assert.deepEqual(found([mask], 'a \u0085<mask> b'), ['a', '< \u0085<mask>>', ' b']);
    assert.deepEqual(found([{ ...mask, lstrip: false, rstrip: true }], 'a <mask>  b'), ['a ', '<<mask>  >', 'b']);
    const both = { ...mask, rstrip: true };
    assert.deepEqual(found([both], '<mask> <mask>'), ['<<mask> >', '<<mask>>']);
  });

  it('stand alone where they must, in any script', () => {
    const word = { id: 1, content: 'да', single_word: true };
    assert.deepEqual(found([word], 'да, дар да'), ['<да>', ', дар ', '<да>']);
    assert.deepEqual(found([word], 'да\u0301 𝔘да'), ['да\u0301 𝔘да']);
  });
});
