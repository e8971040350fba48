import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowLimit } from './row-limit.ts';

type StepMs = (rows: number) => number;

/** B6's, of starter-diagram on one thread: ms of a step of 1, 8 and 16 rows are 0.198, 1.04 and 2.46. */
const cacheBound: StepMs = (rows) => 0.1 + 0.1 * rows + 0.0035 * rows ** 2;
/** Weights are most of it, as on a GPU. */
const weightBound: StepMs = (rows) => 5 + 0.01 * rows;
const callMs = 25;

/** Calls one after the other while rows wait without end; `seconds` of lane time. */
function write(limit: RowLimit, stepMs: StepMs, seconds: number, fromMs = 0): { tokens: number; nowMs: number } {
  let nowMs = fromMs;
  let tokens = 0;
  while (nowMs < fromMs + 1000 * seconds) {
    const rows = limit.rowsAt(nowMs);
    const steps = Math.max(1, Math.floor(callMs / stepMs(rows)));
    nowMs += steps * stepMs(rows);
    tokens += steps * rows;
    limit.note({ steps, lines: steps * rows, stepMs: steps * stepMs(rows) }, nowMs);
  }
  return { tokens, nowMs };
}

const perSecond = (stepMs: StepMs, rows: number) => (1000 * rows) / stepMs(rows);

test('as many rows are written at once as write most, where more of them write less', () => {
  const limit = new RowLimit(16);
  const { nowMs } = write(limit, cacheBound, 20);
  assert.equal(limit.rowsAt(nowMs), 8, '6 would write 2 % more: too little to tell from noise');
  const { tokens } = write(limit, cacheBound, 60, nowMs);
  assert.ok(tokens / 60 > 1.14 * perSecond(cacheBound, 16), 'more than all slots would');
});

test('halves are tried first, and then what lies between', () => {
  const four = new RowLimit(16);
  const { nowMs } = write(four, (rows) => 0.1 + 0.06 * rows + 0.01 * rows ** 2, 4.2);
  assert.equal(four.rowsAt(nowMs), 4, 'by single levels it would be 8 by now');
  const six = new RowLimit(16);
  assert.equal(six.rowsAt(write(six, (rows) => 0.5 + 0.016 * rows ** 2, 20).nowMs), 6);
});

test('all slots stay where more rows write more, and looking costs little', () => {
  const limit = new RowLimit(16);
  const { tokens, nowMs } = write(limit, weightBound, 300);
  assert.equal(limit.rowsAt(nowMs), 16);
  assert.ok(tokens / 300 > 0.995 * perSecond(weightBound, 16));
});

test('it looks again after a rest, and finds what has changed', () => {
  const limit = new RowLimit(16);
  const early = write(limit, cacheBound, 20);
  const late = write(limit, weightBound, 400, early.nowMs);
  assert.equal(limit.rowsAt(late.nowMs), 16);
});

test('a single slow turn changes nothing: a neighbour must win twice', () => {
  const limit = new RowLimit(16);
  let isDisturbed = true;
  const disturbed: StepMs = (rows) => weightBound(rows) * (isDisturbed ? 2 : 1);
  let { nowMs } = write(limit, disturbed, 0.55);
  isDisturbed = false;
  ({ nowMs } = write(limit, disturbed, 3, nowMs));
  assert.equal(limit.rowsAt(nowMs), 16);
});

test('calls with fewer rows than the limit, or still with those of the limit before, teach nothing', () => {
  for (const rows of [5, 16]) {
    const limit = new RowLimit(16);
    for (let nowMs = 0; nowMs < 25_000; nowMs += callMs) {
      // As if each turn of the neighbour went better by itself.
      const stepMs = limit.rowsAt(nowMs) === 16 ? callMs : callMs / 2;
      limit.note({ steps: 10, lines: 10 * rows, stepMs }, nowMs);
    }
    assert.equal(limit.rowsAt(60_000), 16, `${rows} rows`);
  }
  const idle = new RowLimit(16);
  for (let call = 0; call < 1000; call++) idle.note({ steps: 0, lines: 0, stepMs: 0 }, call * callMs);
  assert.equal(idle.rowsAt(25_000), 16);
});

test('a trial that the load does not fill is given up', () => {
  const limit = new RowLimit(16);
  const { nowMs } = write(limit, weightBound, 0.55);
  assert.equal(limit.rowsAt(nowMs), 8, 'the other has its turn');
  assert.equal(limit.rowsAt(nowMs + 31_000), 16);
});

test('one slot is one slot', () => {
  const limit = new RowLimit(1);
  const { nowMs } = write(limit, cacheBound, 10);
  assert.equal(limit.rowsAt(nowMs), 1);
});
