import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryCaps } from './memory-caps.ts';

const run = (caps: MemoryCaps, calls: number, units: number, nowMs: number) => {
  for (let i = 0; i < calls; i++) caps.ran('m', units, nowMs);
};

test('a model has no cap until a call did not fit, then half of what failed; others keep none', () => {
  const caps = new MemoryCaps();
  assert.equal(caps.unitsMax('m'), Number.POSITIVE_INFINITY);
  caps.overflowed('m', 1000, 0);
  assert.equal(caps.unitsMax('m'), 500);
  assert.equal(caps.unitsMax('n'), Number.POSITIVE_INFINITY);
});

test('what has run before is not given up for a failure above it', () => {
  const caps = new MemoryCaps();
  run(caps, 1, 800, 0);
  caps.overflowed('m', 1000, 0);
  assert.equal(caps.unitsMax('m'), 800);
  run(caps, 1, 950, 0);
  caps.overflowed('m', 1000, 0);
  assert.equal(caps.unitsMax('m'), 950, 'closer to what failed than any step would go');
  caps.overflowed('m', 800, 0);
  assert.equal(caps.unitsMax('m'), 720, 'less fits than once did');
});

test('the cap grows by quarters of the way, and within ten minutes not to where it failed', () => {
  const caps = new MemoryCaps();
  caps.overflowed('m', 1000, 0);
  run(caps, 49, 100, 1000);
  assert.equal(caps.unitsMax('m'), 500);
  run(caps, 1, 100, 1000);
  assert.equal(caps.unitsMax('m'), 600);
  run(caps, 50 * 100, 100, 1000);
  assert.ok(Math.abs(caps.unitsMax('m') - 900) < 1);
});

test('after ten minutes it is tried again, and forgotten when twice of what failed runs', () => {
  const caps = new MemoryCaps();
  caps.overflowed('m', 1000, 0);
  run(caps, 50 * 60, 100, 600_001);
  assert.equal(caps.unitsMax('m'), Number.POSITIVE_INFINITY);
});
