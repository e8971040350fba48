import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobClass } from '../../shared/jobs/job.ts';
import { LaneShares } from './lane-shares.ts';

/** Lane ms that each class got in `calls` calls while `waiting` never ends. */
function serve(waiting: readonly JobClass[], calls: number, callMs: Partial<Record<JobClass, number>> = {}) {
  const shares = new LaneShares();
  const waits = new Set(waiting);
  const got: Partial<Record<JobClass, number>> = {};
  for (let i = 0; i < calls; i++) {
    const served = shares.pick(waits, (name) => callMs[name] ?? 10);
    shares.charge(served, callMs[served] ?? 10, waits);
    got[served] = (got[served] ?? 0) + (callMs[served] ?? 10);
  }
  return got;
}

test('classes are strict, but for a twentieth of the time to what waits below', () => {
  const got = serve(['high', 'bulk'], 2100);
  const share = (got.bulk ?? 0) / ((got.high ?? 0) + (got.bulk ?? 0));
  assert.ok(share > 0.04 && share < 0.06, `${share}`);
  assert.deepEqual(serve(['normal'], 10), { normal: 100 });
});

test('several classes below share that twentieth, and long calls wait until they are earned', () => {
  const got = serve(['high', 'normal', 'low', 'bulk'], 4000, { bulk: 100 });
  const total = Object.values(got).reduce((sum, ms) => sum + ms, 0);
  for (const name of ['normal', 'low', 'bulk'] as const) {
    const share = (got[name] ?? 0) / total;
    assert.ok(share > 0.01 && share < 0.03, `${name}: ${share}`);
  }
});

test('a class that stopped waiting has saved up nothing', () => {
  const shares = new LaneShares();
  for (let i = 0; i < 100; i++) shares.charge('high', 10, new Set<JobClass>(['high', 'bulk']));
  shares.charge('high', 10, new Set<JobClass>(['high']));
  assert.equal(
    shares.pick(new Set<JobClass>(['high', 'bulk']), () => 10),
    'high',
  );
});

test('a call that took more than was earned is owed, so that long calls below take no more than their share', () => {
  const shares = new LaneShares();
  const waits = new Set<JobClass>(['high', 'bulk']);
  let [high, bulk] = [0, 0];
  for (let i = 0; i < 5000; i++) {
    const served = shares.pick(waits, () => 1);
    shares.charge(served, served === 'bulk' ? 50 : 10, waits);
    if (served === 'bulk') bulk += 50;
    else high += 10;
  }
  assert.ok(bulk / high > 0.03 && bulk / high < 0.06, `${bulk / high}`);
});
