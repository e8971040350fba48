import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClaimBudget } from './claim-budget.ts';

/** Claims as a consumer does, until there is no room; the jobs that it then holds. */
function fill(budget: ClaimBudget, itemsPerJob: number): number {
  let claims = 0;
  for (let room = budget.room({ claims, items: 0 }); room > 0; ) {
    claims += room;
    room = budget.room({ claims, items: claims * itemsPerJob });
  }
  return claims;
}

test('claims a second of work per lane, within its bounds', () => {
  assert.equal(fill(new ClaimBudget(2, 20), 1), 100);
  assert.equal(fill(new ClaimBudget(2, 0.01), 1), 256);
  assert.equal(fill(new ClaimBudget(2, 60_000), 1), 4);
});

test('follows what items really take', () => {
  const budget = new ClaimBudget(1, 1);
  for (let i = 0; i < 100; i++) budget.observe({ laneMs: 800, rows: 8 }, 8);
  assert.equal(fill(budget, 1), 10);
});

test('behind many small jobs, large ones are claimed as what they are', () => {
  const budget = new ClaimBudget(2, 2);
  for (let i = 0; i < 100; i++) budget.observe({ laneMs: 4, rows: 1 }, 1);
  assert.equal(fill(budget, 1), 256);
  assert.equal(fill(budget, 256), 4);
  assert.equal(fill(budget, 50), 16, 'ten would do, and it had eight when it asked');
});

test('one that ends makes room for one', () => {
  const budget = new ClaimBudget(2, 20);
  assert.equal(budget.room({ claims: 100, items: 100 }), 0);
  assert.equal(budget.room({ claims: 99, items: 99 }), 1);
  assert.equal(budget.room({ claims: 3, items: 900 }), 1, 'four at least');
});

test('gives a model that writes token by token as many rows as its lanes write at once', () => {
  const budget = new ClaimBudget(2, 60_000, () => 16);
  assert.equal(budget.room({ claims: 0, items: 0 }), 32, 'all at once');
  assert.equal(fill(budget, 1), 32);
  for (let i = 0; i < 100; i++) budget.observe({ laneMs: 60_000, rows: 8 }, 1);
  assert.equal(fill(budget, 1), 5);
});
