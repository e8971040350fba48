import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClaimBudget } from './claim-budget.ts';

test('claims a second of work per lane, within its bounds', () => {
  assert.equal(new ClaimBudget(2, 20).claims, 100);
  assert.equal(new ClaimBudget(2, 0.01).claims, 256);
  assert.equal(new ClaimBudget(2, 60_000).claims, 4);
});

test('follows what jobs really take', () => {
  const budget = new ClaimBudget(1, 1);
  for (let i = 0; i < 100; i++) budget.observe(100);
  assert.equal(budget.claims, 10);
});
