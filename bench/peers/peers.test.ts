import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Choice, SchedulingPolicy, WaitingRow } from '../../workers/scheduling/policy.ts';
import { freeLanes, waitingRow, waitingRows } from '../../workers/scheduling/testing/rows.ts';
import { bentoml } from './bentoml.ts';
import { clipper } from './clipper.ts';
import { firstCome } from './first-come.ts';
import { infinity, infinityDefaults } from './infinity.ts';
import { litserve } from './litserve.ts';
import { noBatching } from './no-batching.ts';
import { sortedBudget } from './sorted-budget.ts';
import { tei } from './tei.ts';
import { triton } from './triton.ts';

const ask = (policy: SchedulingPolicy, waiting: WaitingRow[], nowMs = 1000): Choice<WaitingRow> =>
  policy.choose({ nowMs, waiting, lanes: freeLanes(1) });
const rowsAt = (count: number, arrivedMs: number, extra: Partial<WaitingRow> = {}) =>
  waitingRows(count, { arrivedMs, ...extra });
const ran = (policy: SchedulingPolicy, rows: WaitingRow[], startedMs: number, endedMs: number) =>
  policy.ended?.({ rows, startedMs, endedMs });

test('no batching: one row, of the highest class', () => {
  const high = waitingRow({ class: 'high' });
  assert.deepEqual(ask(noBatching(), [waitingRow(), high]).rows, [high]);
});

test('FIFO-n: at most n in order of arrival, whatever their length; with a wait, until the oldest is old enough', () => {
  const rows = [5, 200, 7, 90].map((length) => waitingRow({ length, arrivedMs: 995 }));
  assert.deepEqual(ask(firstCome(3), rows).rows, rows.slice(0, 3));
  assert.deepEqual(ask(firstCome(8, 10), rows), { rows: [], wakeMs: 1005 });
  assert.equal(ask(firstCome(8, 10), rows, 1005).rows.length, 4);
  assert.equal(ask(firstCome(4, 10), rows).rows.length, 4);
});

test('Triton: preferred sizes go at once, the rest waits for the delay of its oldest row', () => {
  const policy = triton({ rowsMax: 16, preferred: [4, 8], delayMs: 5 });
  assert.equal(ask(policy, rowsAt(9, 999)).rows.length, 8);
  assert.deepEqual(ask(policy, rowsAt(3, 999)), { rows: [], wakeMs: 1004 });
  assert.equal(ask(policy, rowsAt(3, 995)).rows.length, 3);
  assert.equal(ask(triton({ rowsMax: 16 }), rowsAt(3, 999)).rows.length, 3);
});

test('BentoML: holds a batch back by what it saw of waits and sizes, and never a full one', () => {
  const policy = bentoml(10);
  assert.equal(ask(policy, rowsAt(2, 1000)).rows.length, 2);
  for (let i = 1; i <= 10; i++) ran(policy, rowsAt(i, 9950), 10_000, 10_000 + 2 * i);
  assert.deepEqual(ask(policy, rowsAt(2, 11_000), 11_000), { rows: [], wakeMs: 11_001 });
  assert.equal(ask(policy, rowsAt(10, 11_000), 11_000).rows.length, 10);
  assert.equal(ask(policy, rowsAt(2, 10_970), 11_000).rows.length, 2);
});

test('Clipper: explores upwards while the budget is far, and takes the largest size that fits when it is near', () => {
  const policy = clipper(100);
  const sizes: number[] = [];
  for (let i = 0; i < 15; i++) {
    const { rows } = ask(policy, rowsAt(20, 1000));
    sizes.push(rows.length);
    ran(policy, [...rows], 1000, 1000 + 10 * rows.length);
  }
  assert.deepEqual([sizes[0], sizes[4], sizes[5], sizes[14]], [1, 1, 2, 3]);
  assert.equal(ask(policy, rowsAt(20, 925)).rows.length, 2);
  assert.equal(ask(policy, rowsAt(20, 500)).rows.length, 1);
});

test('TEI: in order of arrival up to its budget of padded tokens, and the next batch is settled early', () => {
  const policy = tei(100);
  const first = [10, 10, 40, 10].map((length) => waitingRow({ length }));
  assert.deepEqual(ask(policy, first).rows, first.slice(0, 2));
  const late = waitingRow({ class: 'high', length: 5 });
  const rest = [...first.slice(2), late];
  assert.deepEqual(ask(policy, rest).rows, first.slice(2));
  assert.deepEqual(ask(policy, [late]).rows, [late]);
  assert.equal(ask(tei(100), [waitingRow({ length: 900 })]).rows.length, 1);
});

test('Infinity: sorts eight batches by length, and serves them before what comes later', () => {
  const policy = infinity(infinityDefaults);
  const rows = Array.from({ length: 40 }, (_, i) => waitingRow({ length: 100 - i }));
  const chosen = ask(policy, rows).rows;
  assert.deepEqual(
    chosen.map(({ length }) => length),
    Array.from({ length: 32 }, (_, i) => 61 + i),
  );
  const late = waitingRow({ class: 'high' });
  const rest = rows.filter((row) => !chosen.includes(row));
  assert.equal(ask(policy, [...rest, late]).rows.length, 8);
  assert.deepEqual(ask(policy, [late]).rows, [late]);
});

test('LitServe: a window from the begin of its loop, none by default', () => {
  assert.equal(ask(litserve(8), rowsAt(3, 1000)).rows.length, 3);
  const policy = litserve(8, 5);
  assert.deepEqual(ask(policy, rowsAt(3, 990)), { rows: [], wakeMs: 1005 });
  assert.equal(ask(policy, rowsAt(4, 990), 1005).rows.length, 4);
  assert.equal(ask(policy, rowsAt(8, 990), 1006).rows.length, 8);
});

test('sorted with a budget: neighbours by length within it, and the oldest row on board', () => {
  const rows = [40, 10, 50, 12, 45].map((length) => waitingRow({ length }));
  const lengths = ask(sortedBudget(100), rows).rows.map(({ length }) => length);
  assert.deepEqual(lengths, [40, 45]);
});
