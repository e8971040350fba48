/** When a server is asked, and how much at once, by what came of earlier calls. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Pace } from './pace.ts';

let pace: Pace;
/** In the middle of every jitter. */
beforeEach(() => (pace = new Pace(8, () => 0.5)));

const fail = (times: number, nowMs: number) => {
  for (let i = 0; i < times; i++) pace.failed('away', nowMs);
};

test('two failures change nothing, three pause it for a second, and then one call is tried', () => {
  fail(2, 0);
  assert.deepEqual([pace.callsAt(0), pace.isTroubled], [8, false]);
  fail(1, 0);
  assert.deepEqual([pace.callsAt(999), pace.callsAt(1000), pace.isTroubled], [0, 1, true]);
});

test('failures beside each other count once; each pause is twice the last, up to a minute', () => {
  fail(20, 0);
  assert.equal(pace.untilMs, 1000);
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    const nowMs = pace.untilMs;
    pace.failed('away', nowMs);
    pauses.push(pace.untilMs - nowMs);
  }
  assert.deepEqual(pauses, [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('after a pause, each success doubles what goes out at once', () => {
  fail(3, 0);
  const widths = [1, 2, 3, 4].map(() => {
    const width = pace.callsAt(2000);
    pace.succeeded();
    return width;
  });
  assert.deepEqual([...widths, pace.callsAt(2000)], [1, 2, 4, 8, 8]);
  fail(2, 3000);
  assert.equal(pace.callsAt(3000), 8, 'and failures are counted anew');
});

test('a server that asks for patience gets it at once, never less than it asks for, and five minutes at most', () => {
  pace.failed('busy', 0, { retryAfterSeconds: 20 });
  assert.ok(pace.untilMs >= 20_000 && pace.untilMs <= 25_000);
  assert.equal(pace.isTroubled, false);
  pace.succeeded();
  assert.equal(pace.callsAt(19_000), 0, 'a call that began before ends no pause');
  pace.failed('busy', 30_000, { retryAfterSeconds: 86_400 });
  assert.ok(pace.untilMs <= 30_000 + 375_000);
});

test('a denial, or a check that fails, is trouble at once', () => {
  pace.failed('denied', 0);
  assert.deepEqual([pace.isTroubled, pace.untilMs], [true, 5000]);
  const other = new Pace(8, () => 0.5);
  other.failed('away', 0, { isCheck: true });
  assert.deepEqual([other.isTroubled, other.untilMs], [true, 1000]);
});

test('pauses differ from worker to worker by half of their length', () => {
  const ends = [0, 0.999].map((random) => {
    const own = new Pace(1, () => random);
    own.failed('denied', 0);
    return Math.round(own.untilMs);
  });
  assert.deepEqual(ends, [3750, 6248]);
});
