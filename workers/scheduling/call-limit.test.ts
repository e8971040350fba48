import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallLimit } from './call-limit.ts';

function afterRatios(ratio: number, batches: number): CallLimit {
  const limit = new CallLimit();
  for (let i = 0; i < 100 * batches; i++) limit.observe(ratio, 0);
  return limit;
}

test('calls are bounded by 100 ms, and by a quantum below a class that is there', () => {
  const limit = new CallLimit();
  assert.equal(limit.limitMs('bulk', 0), 100);
  limit.sawHigh(0);
  assert.equal(limit.limitMs('bulk', 1), 25);
  assert.equal(limit.limitMs('high', 1), 100);
  assert.equal(limit.limitMs('bulk', 30_001), 100);
});

test('the quantum grows by 1 ms per hundred results in time, and falls by a third when one in a hundred is not', () => {
  assert.equal(afterRatios(0.3, 10).limitMs('bulk', 1), 35);
  assert.ok(Math.abs(afterRatios(0.9, 2).limitMs('bulk', 1) - 25 * 0.49) < 1e-9);
});

test('the quantum stays between 5 and 100 ms', () => {
  assert.equal(afterRatios(0.9, 100).limitMs('bulk', 1), 5);
  assert.equal(afterRatios(0.1, 200).limitMs('bulk', 1), 100);
});

test('who is heeded gets the quantum in 99 of 100 calls; a slow device may still join a few rows', () => {
  const limit = new CallLimit();
  assert.equal(limit.expectedMsMax('bulk', 10, 2, 0), 100);
  assert.equal(limit.expectedMsMax('bulk', 80, 2, 0), 120);
  limit.sawHigh(0);
  assert.equal(limit.expectedMsMax('bulk', 1, 2, 1), 12.5);
  assert.equal(limit.expectedMsMax('bulk', 40, 2, 1), 60);
});

test('a call of several rows of the highest class takes 40 ms at most, or half as long again as one row', () => {
  const limit = new CallLimit();
  assert.equal(limit.expectedMsMax('high', 10, 2, 0), 40);
  assert.equal(limit.expectedMsMax('high', 80, 2, 0), 120);
});
