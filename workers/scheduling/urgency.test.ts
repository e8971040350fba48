import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WaitingRow } from './policy.ts';
import { linearCost, waitingRow } from './testing/rows.ts';
import { Urgency } from './urgency.ts';

const urgency = new Urgency(linearCost(0, 1));
const row = (arrivedMs: number, extra: Partial<WaitingRow> = {}) =>
  waitingRow({ class: 'high', length: 10, arrivedMs, ...extra });

test('the row that must start first goes: it came first, has an own deadline, or a longer call', () => {
  const first = row(0);
  const hurried = row(20, { deadlineMs: 60 });
  const long = row(5, { length: 25 });
  assert.equal(urgency.mostUrgent([first, row(1)]), first);
  assert.equal(urgency.mostUrgent([first, hurried]), hurried);
  assert.equal(urgency.mostUrgent([first, long]), long);
});

test('bulk rows go in order of arrival, but for one whose job is about to run out of time', () => {
  const bulk = [row(0, { class: 'bulk' }), row(1, { class: 'bulk' })] as const;
  const ending = row(2, { class: 'bulk', deadlineMs: 9000 });
  assert.equal(urgency.mostUrgent(bulk), bulk[0]);
  assert.equal(urgency.mostUrgent([...bulk, ending]), ending);
});

test('rows whose job would be over before their own call is are left out while others can be in time', () => {
  const lost = row(0, { deadlineMs: 59 });
  const hurried = row(1, { deadlineMs: 60 });
  const endless = row(2, { class: 'bulk' });
  assert.deepEqual(urgency.inTime([lost, hurried], 49), [lost, hurried]);
  assert.deepEqual(urgency.inTime([lost, hurried, endless], 50), [hurried, endless]);
  assert.deepEqual(urgency.inTime([lost, hurried], 51), [lost, hurried]);
});
