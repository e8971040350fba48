import assert from 'node:assert/strict';
import { it } from 'node:test';
import { joinPair, readPairFrame, shareRoom, specialsOf } from './text-pair.ts';

it('shares the room of two long texts as longest_first of Hugging Face does', () => {
  // Lengths of both texts in AutoTokenizer(...)(a, b, truncation='longest_first', max_length=room + 3), transformers 4.57.
  const cases = [
    [8, 3, 9, [6, 3]],
    [3, 10, 9, [3, 6]],
    [6, 7, 9, [4, 5]],
    [8, 3, 10, [7, 3]],
    [6, 7, 10, [5, 5]],
    [3, 10, 11, [3, 8]],
    [6, 7, 11, [5, 6]],
    [2, 3, 9, [2, 3]],
  ] as const;
  for (const [first, second, room, kept] of cases)
    assert.deepEqual(shareRoom(first, second, room), kept, `${first} and ${second} in ${room}`);
});

it('puts segments and special tokens where the post-processor wants them', () => {
  const ids: Readonly<Record<string, number>> = { '<cls>': 1, '<sep>': 2 };
  const roberta = readPairFrame(
    (first, second) => ({
      tokens: ['<cls>', ...first, '<sep>', '<sep>', ...(second ?? []), '<sep>'],
      token_type_ids: [0, 0, 0, 1, 1, 1],
    }),
    (token) => ids[token] ?? -1,
  );
  assert.equal(specialsOf(roberta), 4);
  const pair = joinPair(roberta, Int32Array.of(10, 11), Int32Array.of(20, 21, 22));
  assert.deepEqual([...pair.ids], [1, 10, 11, 2, 2, 20, 21, 22, 2]);
  assert.deepEqual([...pair.types], [0, 0, 0, 0, 1, 1, 1, 1, 1]);
});

it('refuses a post-processor that has no second text', () => {
  assert.throws(() => readPairFrame((first) => ({ tokens: first }), Number), /makes no pairs of texts/);
});
