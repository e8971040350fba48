import assert from 'node:assert/strict';
import { it } from 'node:test';
import { rememberPieces } from './remember-pieces.ts';

it('cuts a short piece once, as many as there is room for, and a long one every time', () => {
  const cut: string[] = [];
  const long = 'a'.repeat(33);
  const tokensOf = rememberPieces((piece) => {
    cut.push(piece);
    return [...piece];
  }, 2);
  for (const piece of ['ab', 'ab', long, long, 'c', 'd', 'c', 'd', 'ab']) assert.deepEqual(tokensOf(piece), [...piece]);
  assert.deepEqual(cut, ['ab', long, long, 'c', 'd', 'd']);
});
