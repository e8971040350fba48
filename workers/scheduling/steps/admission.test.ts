import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobClass } from '../../../shared/jobs/job.ts';
import { type AdmissionView, planAdmission } from './admission.ts';

interface TestRow {
  readonly name: string;
  readonly class: JobClass;
  readonly arrivedMs: number;
  readonly suspect: boolean;
  readonly alone: boolean;
}

let clock = 0;
const row = (name: string, of: JobClass = 'normal', suspect = false): TestRow => ({
  name,
  class: of,
  arrivedMs: clock++,
  suspect,
  alone: false,
});
const many = (count: number, of: JobClass) => Array.from({ length: count }, (_, i) => row(`${of} ${i}`, of));
const slots = { slots: 4, isLockstep: false };
const together = { slots: 4, isLockstep: true };

function plan(view: Partial<AdmissionView<TestRow>>) {
  const { admit, evict } = planAdmission({ writes: slots, live: [], waiting: [], liveElsewhere: 0, lanes: 1, ...view });
  return { admit: admit.map(({ name }) => name), evict: evict.map(({ name }) => name) };
}

test('free slots go to the highest class, then to who came first', () => {
  const waiting = [row('a', 'bulk'), row('b', 'normal'), row('c', 'high'), row('d', 'normal')];
  assert.deepEqual(plan({ live: many(1, 'bulk'), waiting }), { admit: ['c', 'b', 'd'], evict: [] });
  assert.deepEqual(plan({ live: many(4, 'normal'), waiting }), { admit: [], evict: [] });
});

test('every lane is left its share of rows', () => {
  assert.equal(plan({ waiting: many(6, 'normal'), lanes: 2 }).admit.length, 3);
  assert.equal(
    plan({ waiting: many(1, 'normal'), live: many(2, 'normal'), liveElsewhere: 1, lanes: 2 }).admit.length,
    0,
  );
  assert.equal(
    plan({ waiting: many(1, 'normal'), live: many(1, 'normal'), liveElsewhere: 2, lanes: 2 }).admit.length,
    1,
  );
});

test('a high row takes the place of the bulk row that came last, any other class waits', () => {
  const live = [...many(1, 'normal'), ...many(3, 'bulk')];
  assert.deepEqual(plan({ live, waiting: [row('h', 'high')] }), { admit: ['h'], evict: ['bulk 2'] });
  assert.deepEqual(plan({ live, waiting: [row('n', 'normal')] }), { admit: [], evict: [] });
  const highs = many(5, 'high');
  assert.deepEqual(plan({ live, waiting: highs }).evict, ['bulk 2', 'bulk 1', 'bulk 0']);
  assert.equal(plan({ live, waiting: highs }).admit.length, 3);
});

test('a row that company would change is written alone, as a suspect is', () => {
  const alone = { ...row('l'), alone: true };
  assert.deepEqual(plan({ waiting: [alone, { ...row('m'), alone: true }, row('a')] }).admit, ['l']);
  assert.deepEqual(plan({ waiting: [alone], live: many(1, 'bulk') }).admit, []);
  const first = { ...row('a'), arrivedMs: -1 };
  assert.deepEqual(plan({ waiting: [alone, first], writes: together }).admit, ['a']);
});

test('a suspect is written alone: nobody begins before it, beside it, and it begins beside nobody', () => {
  const suspect = row('s', 'normal', true);
  assert.deepEqual(plan({ waiting: [suspect, row('a')] }).admit, ['s']);
  assert.deepEqual(plan({ waiting: [suspect, row('a')], live: many(1, 'bulk') }).admit, []);
  assert.deepEqual(plan({ waiting: [row('a')], live: [suspect] }).admit, []);
  // A higher class does not wait for it.
  assert.deepEqual(plan({ waiting: [suspect, row('h', 'high')], live: many(1, 'bulk') }).admit, ['h']);
});

test('in lockstep rows of one class begin together, and not beside others of their class', () => {
  const waiting = [...many(3, 'low'), ...many(2, 'normal')];
  assert.deepEqual(plan({ writes: together, waiting }).admit, ['normal 0', 'normal 1']);
  assert.deepEqual(plan({ writes: together, waiting, live: many(1, 'normal') }).admit, []);
  assert.equal(plan({ writes: together, waiting: many(6, 'normal'), lanes: 2 }).admit.length, 3);
});

test('in lockstep a higher class begins beside a lower one, which waits with its cache', () => {
  const live = many(4, 'bulk');
  const waiting = many(9, 'high');
  assert.deepEqual(plan({ writes: together, waiting, live }), {
    admit: waiting.slice(0, 4).map(({ name }) => name),
    evict: [],
  });
  const full = [...many(4, 'low'), ...many(4, 'bulk')];
  assert.equal(plan({ writes: together, waiting, live: full }).evict.length, 4);
});
