import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stabilityIndex, topLabels } from './drift.ts';

test('drift has the index that textbooks give, and none of an empty window', () => {
  const bins = [
    { name: 'a', reference: 50_000, current: 40_000 },
    { name: 'b', reference: 50_000, current: 60_000 },
  ];
  // (0.4 - 0.5) ln(0.4 / 0.5) + (0.6 - 0.5) ln(0.6 / 0.5)
  assert.ok(Math.abs((stabilityIndex(bins) ?? 0) - 0.0405) < 0.0002);
  assert.equal(stabilityIndex([{ name: 'a', reference: 5, current: 0 }]), null);
});

test('drift puts labels beyond the most frequent together', () => {
  const counts = Array.from({ length: 30 }, (_, n) => ({ name: `l${n}`, reference: 1, current: 2 }));
  const bins = topLabels(counts, 20);
  assert.deepEqual([bins.length, bins.at(-1)], [21, { name: 'other', reference: 10, current: 20 }]);
});
