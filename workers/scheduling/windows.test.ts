import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Windows } from './windows.ts';

const after = (rows: number, ms: number) => {
  const windows = new Windows();
  for (let i = 0; i < 100; i++) windows.observe('m', rows, ms);
  return windows.rowsMax('m');
};

test('128 rows are looked at where calls are short, 512 where they are long', () => {
  assert.equal(new Windows().rowsMax('m'), 128);
  assert.equal(after(4, 1), 128);
  assert.equal(after(4, 20), 512);
});

test('a device that takes many rows at once is shown twelve times as many, 2,048 at most', () => {
  assert.equal(after(100, 4), 1200);
  assert.equal(after(5000, 4), 2048);
});
