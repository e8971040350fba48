import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdaptivePolicy } from './adaptive-policy.ts';
import { Growth } from './growth.ts';
import { MemoryCaps } from './memory-caps.ts';
import type { CostModel, WaitingRow } from './policy.ts';
import { freeLanes, grown, knownCost, linearCost, waitingRow, waitingRows } from './testing/rows.ts';
import { Windows } from './windows.ts';

const choose = (
  waiting: WaitingRow[],
  cost: CostModel,
  lanes = 1,
  policy = new AdaptivePolicy(cost, { growth: grown }),
) => policy.choose({ nowMs: 1000, waiting, lanes: freeLanes(lanes) }).rows;
const at = (arrivedMs: number, extra: Partial<WaitingRow> = {}) => waitingRow({ arrivedMs, ...extra });

test('nothing runs when nothing waits', () => assert.deepEqual(choose([], linearCost(1, 1)), []));

test('the highest class goes first, then the row that came first; classes, models and shapes never mix', () => {
  const low = at(900, { class: 'low' });
  const other = at(910, { class: 'high', model: 'n' });
  const high = at(920, { class: 'high' });
  const shaped = at(930, { class: 'high', model: 'n', shapeKey: 'y' });
  assert.deepEqual(choose([low, other, high, shaped], linearCost(10, 0)), [other]);
});

test('a suspect runs alone, and joins nobody', () => {
  const suspect = at(980, { suspect: true });
  assert.deepEqual(choose([suspect, at(981), at(982)], linearCost(10, 0)), [suspect]);
  assert.equal(choose([at(970), suspect, at(982)], linearCost(10, 0)).length, 2);
});

test('leaves every lane its share', () => {
  assert.equal(choose(waitingRows(8, { arrivedMs: 999 }), linearCost(10, 0.001), 2).length, 4);
});

test('no call of several rows is predicted to pass 100 ms, and 25 ms below while somebody waits for high rows', () => {
  const cost = knownCost((rows) => 9 * rows);
  assert.equal(
    choose(
      waitingRows(40, { arrivedMs: 999 }),
      knownCost((rows) => 1 + 9 * rows),
    ).length,
    11,
  );
  const policy = new AdaptivePolicy(cost, { growth: grown });
  assert.equal(choose([at(999, { class: 'high' })], cost, 1, policy).length, 1);
  const almost = knownCost((rows) => 1 + 9 * rows);
  const heeding = new AdaptivePolicy(almost, { growth: grown });
  choose([at(999, { class: 'high' })], almost, 1, heeding);
  assert.equal(choose(waitingRows(40, { arrivedMs: 999 }), almost, 1, heeding).length, 2);
});

test('after a call that did not fit, calls of that model have half its padded units', () => {
  const cost = linearCost(10, 0.001);
  const policy = new AdaptivePolicy(cost, { growth: grown });
  const rows = waitingRows(16, { arrivedMs: 999, length: 10 });
  assert.equal(choose(rows, cost, 1, policy).length, 16);
  policy.overflowed(rows, 1000);
  assert.equal(choose(rows, cost, 1, policy).length, 8);
});

test('of a model that left nothing is kept: neither what failed, nor how many rows and units its calls had', () => {
  const cost = linearCost(10, 0.001);
  const memory = new MemoryCaps();
  const growth = new Growth();
  const windows = new Windows();
  const policy = new AdaptivePolicy(cost, { memory, growth, windows });
  policy.ended({ rows: waitingRows(400, { length: 1 }), startedMs: 0, endedMs: 1 });
  choose(waitingRows(400, { arrivedMs: 999, length: 1 }), cost, 1, policy);
  policy.overflowed(waitingRows(8, { length: 1 }), 1000);
  const known = () => [memory.unitsMax('m'), growth.unitsMax('m'), windows.rowsMax('m')];
  assert.deepEqual(known(), [7.2, 1600, 1536]);
  policy.forget('m');
  assert.deepEqual(known(), [Number.POSITIVE_INFINITY, 0, 128]);
  policy.overflowed(waitingRows(8, { length: 1 }), 1000);
  assert.equal(memory.unitsMax('m'), 4, 'half of what failed, since nothing ran');
});

test('an endless high class leaves a twentieth of the lanes to the classes below', () => {
  const cost = linearCost(1, 1);
  const policy = new AdaptivePolicy(cost, { growth: grown });
  const old = at(0, { class: 'bulk' });
  let highs = 0;
  while (choose([old, at(999, { class: 'high' })], cost, 1, policy)[0] !== old) highs++;
  assert.ok(highs >= 18 && highs <= 20, `${highs} high calls before one of bulk`);
});

test('a row whose job will be over first neither begins a call nor joins one while others can be in time', () => {
  const cost = linearCost(10, 0.001);
  const lost = at(980, { deadlineMs: 1005 });
  const others = [at(981, { deadlineMs: 1500 }), at(982)];
  assert.deepEqual(choose([lost, ...others], cost), others);
  assert.deepEqual(choose([lost], cost), [lost]);
});
