import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cheapestPart, type PartLimits } from './cheapest-part.ts';
import type { WaitingRow } from './policy.ts';
import { waitingRow, waitingRows } from './testing/rows.ts';

const limits = (costMs: PartLimits['costMs'], extra: Partial<PartLimits> = {}): PartLimits => ({
  rowsMax: 100,
  costMs,
  msMax: Number.POSITIVE_INFINITY,
  unitsMax: Number.POSITIVE_INFINITY,
  ...extra,
});
const linear = (a: number, b: number) => limits((rows, length) => a + b * rows * length);
const partOf = (rows: WaitingRow[], anchor: WaitingRow | undefined, given: PartLimits) =>
  cheapestPart(rows, anchor as WaitingRow, given);

test('joins rows where a call has a fixed cost, and runs one at a time where joining costs more', () => {
  const rows = waitingRows(4);
  assert.equal(partOf(rows, rows[0], linear(10, 0.01)).length, 4);
  assert.equal(
    partOf(
      rows,
      rows[0],
      limits((n, l) => (n * l) ** 1.2),
    ).length,
    1,
  );
});

test('keeps a long text out of a call of short ones, since padding would cost more than a call', () => {
  const long = waitingRow({ length: 500 });
  const shorts = waitingRows(6, { length: 8 });
  assert.deepEqual(partOf([long, ...shorts], long, linear(1, 0.1)), [long]);
  assert.equal(partOf([long, ...shorts], shorts[0], linear(1, 0.1)).length, 6);
});

test('no part has more rows than its limit, ms or units than it may, unless it is a row alone', () => {
  const rows = waitingRows(40);
  assert.equal(partOf(rows, rows[0], { ...linear(10, 0.001), rowsMax: 4 }).length, 4);
  assert.equal(partOf(rows, rows[0], { ...linear(0.1, 1), msMax: 100 }).length, 9);
  assert.equal(partOf(rows, rows[0], { ...linear(1, 0), unitsMax: 79 }).length, 7);
  const long = waitingRow({ length: 1000 });
  assert.deepEqual(partOf([long], long, { ...linear(0, 1), msMax: 100 }), [long]);
});

/** The least that any way of cutting the sorted rows into calls costs. */
function leastCost(lengths: readonly number[], costMs: PartLimits['costMs']): number {
  const sorted = lengths.toSorted((a, b) => a - b);
  let best = Number.POSITIVE_INFINITY;
  for (let mask = 0; mask < 2 ** (sorted.length - 1); mask++) {
    let total = 0;
    let count = 0;
    for (const [i, length] of sorted.entries()) {
      count++;
      if (i < sorted.length - 1 && (mask & (1 << i)) === 0) continue;
      total += costMs(count, length);
      count = 0;
    }
    best = Math.min(best, total);
  }
  return best;
}

test('run by run, a set costs as little as the best of all ways to split it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 7 }),
      fc.integer({ min: 0, max: 20 }),
      (lengths, fixed) => {
        const given = linear(fixed, 0.1);
        let rest = lengths.map((length) => waitingRow({ length }));
        let total = 0;
        // A part of a cheapest partition leaves a cheapest partition.
        while (rest.length > 0) {
          const part = partOf(rest, rest[0], given);
          assert.ok(part.includes(rest[0] as WaitingRow));
          total += given.costMs(part.length, Math.max(...part.map(({ length }) => length)));
          rest = rest.filter((row) => !part.includes(row));
        }
        const best = leastCost(lengths, given.costMs);
        assert.ok(Math.abs(total - best) < 1e-6, `${total} against ${best}`);
      },
    ),
    { numRuns: 200 },
  );
});

test('a window of a thousand rows is cut as finely as one of fifty, where calls are small', () => {
  // Ten short rows for each long one, and no call of two long ones pays.
  const rows = Array.from({ length: 1000 }, (_, i) => waitingRow({ length: i % 10 === 0 ? 256 : 10 }));
  const costMs = (count: number, length: number) => 1 + count * length * (count > 1 && length > 100 ? 0.2 : 0.1);
  assert.deepEqual(partOf(rows, rows[0], limits(costMs)), [rows[0]]);
});
