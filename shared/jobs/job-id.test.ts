import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJobId, mintedAtMs, mintJobId } from './job-id.ts';

test('mints ids that differ, say when they were minted, and sort as they came', () => {
  const before = Date.now();
  const ids = Array.from({ length: 5000 }, mintJobId);
  assert.ok(ids.every(isJobId));
  assert.deepEqual([...new Set(ids)].sort(), ids);
  for (const id of ids) assert.ok(mintedAtMs(id) >= before && mintedAtMs(id) <= Date.now(), id);
  // Two processes differ in what is drawn, not in what is counted.
  assert.equal(new Set(ids.map((id) => id.slice(-10))).size, ids.length);
});
