import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WaitingRow } from './policy.ts';
import { linearCost, waitingRow } from './testing/rows.ts';
import { Urgency } from './urgency.ts';

const urgency = () => new Urgency(linearCost(0, 1));
const row = (arrivedMs: number, extra: Partial<WaitingRow> = {}) =>
  waitingRow({ class: 'high', length: 10, arrivedMs, ...extra });

test('of rows that can all make it, the one that must start first goes: an own deadline, or a longer call', () => {
  const first = row(0);
  const hurried = row(20, { deadlineMs: 60 });
  const long = row(5, { length: 25 });
  assert.equal(urgency().mostUrgent([first, row(1)], 30), first);
  assert.equal(urgency().mostUrgent([first, hurried], 30), hurried);
  assert.equal(urgency().mostUrgent([first, long], 30), long);
});

test('rows that are late already stand behind, but for one pick in ten', () => {
  const late = row(0);
  const fresh = row(500);
  const judge = urgency();
  const picks = Array.from({ length: 10 }, () => judge.mostUrgent([late, fresh], 510));
  assert.deepEqual(picks.slice(0, 9), Array(9).fill(fresh));
  assert.equal(picks[9], late);
});

test('when all are late the oldest goes, and bulk rows go in order of arrival', () => {
  const rows = [row(0), row(1)] as const;
  assert.equal(urgency().mostUrgent(rows, 5000), rows[0]);
  const bulk = [row(0, { class: 'bulk' }), row(1, { class: 'bulk' })] as const;
  assert.equal(urgency().mostUrgent(bulk, 5000), bulk[0]);
});
