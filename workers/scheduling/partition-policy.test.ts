import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PartitionPolicy } from './partition-policy.ts';
import type { CostModel, WaitingRow } from './policy.ts';

/** A device on which a call costs a + b * padded units. */
const linear = (a: number, b: number): CostModel => ({
  predictMs: (_model, rows, length) => a + b * rows * length,
  observe: () => {},
});
let clock = 0;
const row = (extra: Partial<WaitingRow> = {}): WaitingRow => ({
  model: 'm',
  class: 'normal',
  length: 10,
  shapeKey: 'x',
  arrivedMs: clock++,
  suspect: false,
  ...extra,
});
const choose = (waiting: WaitingRow[], cost: CostModel, lanes = 1) =>
  new PartitionPolicy(cost).choose({ nowMs: clock, waiting, lanes });

test('joins rows where a call has a fixed cost, and runs one at a time where joining costs more', () => {
  const rows = [row(), row(), row(), row()];
  assert.equal(choose(rows, linear(10, 0.01)).length, 4);
  const superlinear: CostModel = { predictMs: (_m, n, l) => (n * l) ** 1.2, observe: () => {} };
  assert.equal(choose(rows, superlinear).length, 1);
});

test('keeps a long text out of a batch of short ones, since padding would cost more than a call', () => {
  const long = row({ length: 500 });
  const shorts = Array.from({ length: 6 }, () => row({ length: 8 }));
  assert.deepEqual(choose([long, ...shorts], linear(1, 0.1)), [long]);
  assert.equal(choose([...shorts, long], linear(1, 0.1)).length, 6);
});

test('the highest class goes first, then the oldest row; classes, models and shapes never mix', () => {
  const low = row({ class: 'low' });
  const other = row({ class: 'high', model: 'n' });
  const high = row({ class: 'high' });
  const shaped = row({ class: 'high', model: 'n', shapeKey: 'y' });
  assert.deepEqual(choose([low, other, high, shaped], linear(10, 0)), [other]);
});

test('a suspect runs alone', () => {
  const suspect = row({ suspect: true });
  assert.deepEqual(choose([suspect, row(), row()], linear(10, 0)), [suspect]);
  assert.equal(choose([row(), suspect, row()], linear(10, 0)).length, 2);
});

test('leaves every lane its share', () => {
  const rows = Array.from({ length: 8 }, () => row());
  assert.equal(choose(rows, linear(10, 0.001), 2).length, 4);
});

test('no call is predicted to pass 100 ms unless one row alone does', () => {
  const rows = Array.from({ length: 40 }, () => row({ length: 10 }));
  assert.equal(choose(rows, linear(0.1, 1)).length, 9);
  assert.equal(choose([row({ length: 1000 })], linear(0, 1)).length, 1);
});

test('an endless high class leaves one call in twenty to the oldest row', () => {
  const policy = new PartitionPolicy(linear(1, 1));
  const low = row({ class: 'low' });
  const picks = Array.from(
    { length: 40 },
    () => policy.choose({ nowMs: clock, waiting: [low, row({ class: 'high' })], lanes: 1 })[0],
  );
  assert.equal(picks.filter((pick) => pick === low).length, 2);
});

test('the chosen call always holds the anchor, and its partition is as cheap as brute force finds', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 7 }),
      fc.integer({ min: 0, max: 20 }),
      (lengths, fixed) => {
        const cost = linear(fixed, 0.1);
        const rows = lengths.map((length) => row({ length }));
        const chosen = choose(rows, cost);
        assert.ok(chosen.includes(rows[0] as WaitingRow));
        const sorted = lengths.toSorted((a, b) => a - b);
        let best = Number.POSITIVE_INFINITY;
        for (let mask = 0; mask < 2 ** (sorted.length - 1); mask++) {
          let total = 0;
          let count = 0;
          sorted.forEach((length, i) => {
            count++;
            if (i === sorted.length - 1 || mask & (1 << i)) {
              total += cost.predictMs('m', count, length);
              count = 0;
            }
          });
          best = Math.min(best, total);
        }
        // Run the whole set by repeated choice: a part of a cheapest partition leaves a cheapest partition.
        let rest = rows;
        let total = 0;
        while (rest.length > 0) {
          const part = choose(rest, cost);
          total += cost.predictMs('m', part.length, Math.max(...part.map(({ length }) => length)));
          rest = rest.filter((candidate) => !part.includes(candidate));
        }
        assert.ok(Math.abs(total - best) < 1e-6, `${total} against ${best}`);
      },
    ),
    { numRuns: 200 },
  );
});
