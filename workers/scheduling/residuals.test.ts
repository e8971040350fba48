import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Residuals } from './residuals.ts';

test('says a guess before calls were seen, and then the factor that one call in a hundred passes', () => {
  const residuals = new Residuals();
  assert.equal(residuals.q99, 1.5);
  for (let i = 0; i < 2000; i++) residuals.observe(i % 50 === 0 ? 3 : 0.9 + (i % 20) / 100);
  assert.ok(residuals.q99 > 2.5 && residuals.q99 < 3.7, `${residuals.q99}`);
});

test('one outlier in two thousand calls does not count, and bad times are forgotten', () => {
  const residuals = new Residuals();
  for (let i = 0; i < 500; i++) residuals.observe(4);
  for (let i = 0; i < 2000; i++) residuals.observe(1);
  residuals.observe(16);
  assert.ok(residuals.q99 < 1.3, `${residuals.q99}`);
});

test('a call that took nothing, or for ever, stays in the outermost bins', () => {
  const residuals = new Residuals();
  for (const ratio of [0, 1e9, Number.POSITIVE_INFINITY]) residuals.observe(ratio);
  assert.ok(Number.isFinite(residuals.q99));
});
