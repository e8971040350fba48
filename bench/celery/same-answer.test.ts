import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDifference } from './same-answer.ts';

test('numbers may differ by rounding, and everything else not at all', () => {
  assert.equal(findDifference([{ label: 'cat', score: 0.912 }], [{ label: 'cat', score: 0.9121 }]), null);
  assert.equal(
    findDifference([{ label: 'cat', score: 0.9 }], [{ label: 'dog', score: 0.9 }]),
    '/0/label: "cat" and "dog"',
  );
  assert.equal(findDifference([0.1, 0.2], [0.1, 0.3]), '/1: 0.2 and 0.3');
  assert.equal(findDifference({ text: 'one' }, { text: 'two' }), '/text: "one" and "two"');
});

test('a list that is longer, and an answer that is missing, are differences', () => {
  assert.equal(findDifference([1, 2], [1]), '/: "2 of them" and "1 of them"');
  assert.match(findDifference({}, { text: 'one' }) ?? '', /text/);
  assert.match(findDifference(undefined, [1]) ?? '', /undefined/);
  assert.match(findDifference([], {}) ?? '', /\[\]/);
});

test('of objects only what the peer gives is compared, since ours may say more', () => {
  assert.equal(findDifference({ generated_text: 'end', finish_reason: 'stop' }, { generated_text: 'end' }), null);
});

test('a number that is none is a difference', () => {
  assert.match(findDifference(Number.NaN, 1) ?? '', /null and 1/);
});
