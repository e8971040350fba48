/** A small run of each kind; the full one is `npm run nemesis`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Role } from '../system/running-system.ts';
import { runNemesis } from './nemesis.ts';

const rounds: Role[][] = [
  ['worker', 'lane'],
  ['api', 'redis'],
];
for (const targets of rounds) {
  test(`every acknowledged job succeeds once while ${targets.join(' and ')} are killed`, {
    timeout: 600_000,
  }, async (t) => {
    const report = await runNemesis({ jobs: 400, kills: 5, targets, seed: 7, say: (line) => t.diagnostic(line) });
    assert.deepEqual(report.faults, []);
    assert.equal(report.succeeded, 400);
    assert.equal(report.acknowledged, 400);
    assert.ok(
      Object.values(report.kills).reduce((sum, count) => sum + count, 0) >= 4,
      'too few kills to prove anything',
    );
  });
}
