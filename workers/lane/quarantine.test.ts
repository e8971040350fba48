import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Quarantine } from './quarantine.ts';

test('a crash while loading sets the model aside, each time for longer, at most five minutes', () => {
  const quarantine = new Quarantine();
  const pauses = Array.from({ length: 12 }, () => quarantine.countLoadCrash('m', 0));
  assert.deepEqual(pauses.slice(0, 4), [1000, 2000, 4000, 8000]);
  assert.equal(pauses.at(-1), 300_000);
  assert.equal(quarantine.isAside('m', 299_999), true);
  assert.equal(quarantine.isAside('m', 300_001), false);
  assert.equal(quarantine.isAside('other', 0), false);
});

test('calls that crash set it aside only after six without a good one between', () => {
  const quarantine = new Quarantine();
  for (let i = 0; i < 5; i++) assert.equal(quarantine.countCrash('m', 0), 0);
  quarantine.countSuccess('m');
  for (let i = 0; i < 5; i++) assert.equal(quarantine.countCrash('m', 0), 0);
  assert.equal(quarantine.countCrash('m', 0), 1000);
});
