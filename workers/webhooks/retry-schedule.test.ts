import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delayBeforeAttemptMs, retrySchedule } from './retry-schedule.ts';

/** Fails every attempt on a fake clock; returns the hour of each. */
function hoursOfAttempts(random: () => number): number[] {
  const hours: number[] = [];
  let nowMs = 0;
  for (let attempt = 1; ; attempt++) {
    const delayMs = delayBeforeAttemptMs(attempt, random);
    if (delayMs === null) return hours;
    nowMs += delayMs;
    hours.push(nowMs / 3_600_000);
  }
}

test('a receiver that always fails sees ten attempts over 75.6 hours', () => {
  const hours = hoursOfAttempts(() => 0.5);
  assert.equal(hours.length, 10);
  assert.equal(hours[0], 0);
  assert.ok(Math.abs((hours[9] ?? 0) - 75.6) < 0.1, `${hours[9]}`);
});

test('jitter keeps each wait within a tenth, and spreads what failed together', () => {
  for (const [i, seconds] of retrySchedule.entries()) {
    assert.equal(
      delayBeforeAttemptMs(i + 1, () => 0),
      Math.round(seconds * 900),
    );
    assert.ok((delayBeforeAttemptMs(i + 1, () => 0.999) ?? 0) <= seconds * 1100);
  }
  const second = new Set(Array.from({ length: 100 }, () => delayBeforeAttemptMs(2, Math.random)));
  assert.ok(second.size > 50);
  const ends = Array.from({ length: 200 }, () => hoursOfAttempts(Math.random).at(-1) ?? 0);
  assert.ok(Math.min(...ends) > 68 && Math.max(...ends) < 84);
});

test('Retry-After puts off, never brings forward, and no longer than about a day', () => {
  assert.ok((delayBeforeAttemptMs(2, Math.random, 60) ?? 0) >= 60_000);
  assert.equal(
    delayBeforeAttemptMs(3, () => 0.5, 1),
    300_000,
  );
  assert.ok((delayBeforeAttemptMs(2, () => 0.999, 1e9) ?? 0) <= 1.1 * 86_400_000);
  assert.equal(delayBeforeAttemptMs(11, Math.random, 60), null);
});
