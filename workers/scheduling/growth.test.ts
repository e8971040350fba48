import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdaptivePolicy } from './adaptive-policy.ts';
import { Growth } from './growth.ts';
import { freeLanes, knownCost, waitingRows } from './testing/rows.ts';

test('a call is at most four times as large as any of its model before it', () => {
  const growth = new Growth();
  assert.equal(growth.unitsMax('m'), 0);
  growth.ran('m', 10);
  growth.ran('m', 5);
  assert.equal(growth.unitsMax('m'), 40);
  assert.equal(growth.unitsMax('n'), 0);
});

test('though the model says that rows cost nothing, calls grow step by step', () => {
  const policy = new AdaptivePolicy(knownCost(() => 1));
  const sizes: number[] = [];
  for (let call = 0; call < 5; call++) {
    const { rows } = policy.choose({ nowMs: call, waiting: waitingRows(120, { length: 10 }), lanes: freeLanes(1) });
    policy.ended({ rows, startedMs: call, endedMs: call + 1 });
    sizes.push(rows.length);
  }
  assert.deepEqual(sizes, [1, 4, 16, 64, 120]);
});
