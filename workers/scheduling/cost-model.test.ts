import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LearnedCostModel } from './cost-model.ts';

/** Repeatable noise of +-10 %. */
function noise(seed: number): number {
  const x = Math.sin(seed * 12.9898) * 43758.5453;
  return 0.9 + 0.2 * (x - Math.floor(x));
}

test('learns fixed, linear and quadratic cost within 15 % from noisy calls of mixed shapes', () => {
  const model = new LearnedCostModel();
  const truth = (n: number, l: number) => 3 + 0.05 * n * l + 0.0002 * n * l * l;
  for (let i = 0; i < 300; i++) {
    const n = 1 + ((i * 7) % 12);
    const l = 8 + ((i * 31) % 200);
    model.observe('m', n, l, truth(n, l) * noise(i));
  }
  for (const [n, l] of [
    [1, 16],
    [8, 32],
    [2, 180],
    [12, 100],
  ] as const) {
    const ratio = model.predictMs('m', n, l) / truth(n, l);
    assert.ok(ratio > 0.85 && ratio < 1.15, `${n} x ${l}: ratio ${ratio}`);
  }
});

test('a cache cliff at a size is learned though the curve can not bend there', () => {
  const model = new LearnedCostModel();
  const truth = (n: number) => (n >= 16 ? 3 * n : n);
  for (let i = 0; i < 400; i++)
    model.observe('m', [1, 2, 4, 8, 16][i % 5] as number, 10, truth([1, 2, 4, 8, 16][i % 5] as number));
  assert.ok(model.predictMs('m', 16, 10) / 16 > 1.5 * (model.predictMs('m', 4, 10) / 4));
});

test('one spike does not bend the curve, and a device that became slower is followed', () => {
  const model = new LearnedCostModel();
  for (let i = 0; i < 50; i++) model.observe('m', 1 + (i % 4), 10, 10 * (1 + (i % 4)));
  model.observe('m', 2, 10, 100_000);
  assert.ok(model.predictMs('m', 2, 10) < 60);
  for (let i = 0; i < 100; i++) model.observe('m', 1 + (i % 4), 10, 20 * (1 + (i % 4)));
  const ratio = model.predictMs('m', 2, 10) / 40;
  assert.ok(ratio > 0.8 && ratio < 1.25, `ratio ${ratio}`);
});

test('predictions stay finite and positive through thousands of calls of one shape', () => {
  const model = new LearnedCostModel();
  for (let i = 0; i < 5000; i++) model.observe('m', 1, 1, 5 * noise(i));
  const ms = model.predictMs('m', 1, 1);
  assert.ok(ms > 4 && ms < 6, `${ms}`);
  assert.ok(Number.isFinite(model.predictMs('m', 32, 1)));
});

test('rows of one length, where two features are the same, never blow a prediction up', () => {
  const model = new LearnedCostModel();
  for (let i = 0; i < 20_000; i++) {
    const n = 1 + (i % 7 === 0 ? i % 32 : 0);
    model.observe('m', n, 1, (1 + 20 * n) * noise(i));
    for (const rows of [1, 8, 32]) {
      const ratio = model.predictMs('m', rows, 1) / (1 + 20 * rows);
      assert.ok(i < 50 || (ratio > 0.5 && ratio < 2), `call ${i}, ${rows} rows: ratio ${ratio}`);
    }
  }
});

test('sizes that never ran are tried: rows alone never talk joining down', () => {
  const model = new LearnedCostModel();
  // One length is cheaper than the curve can say; its correction must hold for calls of several such rows, too.
  for (let i = 0; i < 400; i++) {
    const l = [8, 16, 32, 64][i % 4] as number;
    model.observe('m', 1, l, 0.1 * l * (l === 8 ? 0.5 : 1) * noise(i));
  }
  for (const rows of [2, 4, 8]) assert.ok(model.predictMs('m', rows, 8) < rows * model.predictMs('m', 1, 8), `${rows}`);
});

test('what is remembered of a machine that is slower now is followed within thirty calls', () => {
  const before = new LearnedCostModel();
  for (let i = 0; i < 500; i++) before.observe('m', 1 + (i % 8), 10, 5 + 2 * (1 + (i % 8)));
  const model = new LearnedCostModel(before.memories());
  for (let i = 0; i < 30; i++) model.observe('m', 1 + (i % 8), 10, 2 * (5 + 2 * (1 + (i % 8))));
  const ratio = model.predictMs('m', 4, 10) / 26;
  assert.ok(ratio > 0.8 && ratio < 1.25, `ratio ${ratio}`);
});

test('what is remembered of quite another device is dropped after five calls', () => {
  const gpu = new LearnedCostModel();
  for (let i = 0; i < 500; i++) gpu.observe('m', 1 + (i % 32), 64, 4 + 0.01 * (1 + (i % 32)));
  const model = new LearnedCostModel(gpu.memories());
  assert.ok(model.predictMs('m', 16, 64) < 6);
  for (let i = 0; i < 5; i++) model.observe('m', 8, 64, 160);
  const ratio = model.predictMs('m', 16, 64) / 320;
  assert.ok(ratio > 0.5 && ratio < 1.5, `ratio ${ratio}`);
});

test('a size that was dear on a bad day is tried again by the next process', () => {
  const before = new LearnedCostModel();
  for (let i = 0; i < 400; i++) {
    const rows = 1 + (i % 2);
    before.observe('m', rows, 10, rows === 2 ? 21 : 10);
  }
  assert.ok(before.predictMs('m', 2, 10) > 2 * before.predictMs('m', 1, 10), 'dear within the process');
  const model = new LearnedCostModel(before.memories());
  for (let i = 0; i < 10; i++) model.observe('m', 1, 10, 10);
  assert.ok(model.predictMs('m', 2, 10) < 2 * model.predictMs('m', 1, 10), 'tried once more');
});

test('of the models that come and go, those that ran last are known', () => {
  const model = new LearnedCostModel();
  for (let i = 0; i < 300; i++) {
    model.observe(`left-${i}`, 1, 1, 3);
    model.observe('stays', 1, 1, 3);
  }
  assert.ok(model.predictMs('stays', 1, 1) < 4);
  assert.ok(model.predictMs('left-299', 1, 1) < 4);
  assert.equal(model.predictMs('left-0', 1, 1), 10, 'as if it had never run');
  assert.equal(model.memories().size, 128);
});

test('only what ran in this process is told to the next, and a size keeps what was known of it', () => {
  const before = new LearnedCostModel();
  for (let i = 0; i < 100; i++) for (const model of ['a', 'b']) before.observe(model, 1 + (i % 4), 10, 4 + (i % 4));
  const after = new LearnedCostModel(before.memories());
  after.observe('a', 1, 10, 4);
  assert.deepEqual([...after.memories().keys()], ['a']);
  const sizes = (model: LearnedCostModel) => model.memories().get('a')?.curve.corrections.length;
  assert.equal(sizes(after), sizes(before));
});

test('a curve that is remembered is outvoted by thirty calls', () => {
  const calls = (model: LearnedCostModel, count: number, truth: (padded: number) => number) => {
    for (let i = 0; i < count; i++) {
      const [rows, length] = [1 + (i % 4), 20 + ((i * 7) % 40)];
      model.observe('m', rows, length, truth(rows * length));
    }
  };
  const before = new LearnedCostModel();
  calls(before, 1000, (padded) => 10 + 0.01 * padded);
  const model = new LearnedCostModel(before.memories());
  calls(model, 30, (padded) => 1 + 0.1 * padded);
  // Larger than any call so far: only the curve speaks.
  assert.ok(model.predictMs('m', 32, 50) > 0.6 * 161, `${model.predictMs('m', 32, 50)}`);
});

test("which size is cheapest is learned from the calls' own work, how long they take from the clock", () => {
  const model = new LearnedCostModel();
  // 2 % between the sizes; the core is shared, most of all under calls of 8 rows.
  const own = (rows: number) => rows * (rows === 8 ? 9.8 : 10);
  const clock = (rows: number, i: number) => own(rows) * (rows === 8 ? 2.2 : 2) * noise(i);
  for (let i = 0; i < 600; i++) {
    const rows = [4, 8, 16][i % 3] as number;
    model.observe('m', rows, 10, clock(rows, i), own(rows));
  }
  const perRow = (rows: number) => model.predictMs('m', rows, 10) / rows;
  assert.ok(perRow(8) < perRow(4) && perRow(8) < perRow(16), `${perRow(4)}, ${perRow(8)}, ${perRow(16)} ms a row`);
  assert.ok(perRow(4) > 18 && perRow(4) < 24, `${perRow(4)} ms a row by the clock`);
});

test('the own work of calls is remembered as it is, whatever pace the device had', () => {
  const before = new LearnedCostModel();
  for (let i = 0; i < 200; i++) before.observe('m', 1 + (i % 4), 10, 40 * (1 + (i % 4)), 10 * (1 + (i % 4)));
  const after = new LearnedCostModel(before.memories());
  const ms = after.predictMs('m', 2, 10);
  assert.ok(ms > 15 && ms < 25, `${ms} ms for two rows of 10`);
});
