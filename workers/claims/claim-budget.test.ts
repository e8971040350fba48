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
  for (let i = 0; i < 100; i++) budget.observe({ laneMs: 100, rows: 1 });
  assert.equal(budget.claims, 10);
});

test('gives a model that writes token by token as many rows as its lanes write at once', () => {
  const budget = new ClaimBudget(2, 60_000, () => 16);
  assert.equal(budget.claims, 32);
  for (let i = 0; i < 100; i++) budget.observe({ laneMs: 60_000, rows: 8 });
  assert.equal(budget.claims, 5);
});
