import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryCaps } from './memory-caps.ts';

const run = (caps: MemoryCaps, calls: number, nowMs: number) => {
  for (let i = 0; i < calls; i++) caps.ran('m', nowMs);
};

test('a model has no cap until a call did not fit, then half of what failed; others keep none', () => {
  const caps = new MemoryCaps();
  assert.equal(caps.unitsMax('m'), Number.POSITIVE_INFINITY);
  caps.overflowed('m', 1000, 0);
  assert.equal(caps.unitsMax('m'), 500);
  assert.equal(caps.unitsMax('n'), Number.POSITIVE_INFINITY);
  caps.overflowed('m', 400, 1);
  assert.equal(caps.unitsMax('m'), 200);
});

test('the cap grows by a twentieth per 200 good calls, and not near where it failed within ten minutes', () => {
  const caps = new MemoryCaps();
  caps.overflowed('m', 1000, 0);
  run(caps, 199, 1000);
  assert.equal(caps.unitsMax('m'), 500);
  run(caps, 1, 1000);
  assert.equal(caps.unitsMax('m'), 525);
  run(caps, 200 * 50, 1000);
  assert.equal(caps.unitsMax('m'), 900);
});

test('after ten minutes it is tried again, and forgotten when twice of what failed runs', () => {
  const caps = new MemoryCaps();
  caps.overflowed('m', 1000, 0);
  run(caps, 200 * 60, 600_001);
  assert.equal(caps.unitsMax('m'), Number.POSITIVE_INFINITY);
});
