import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { readSettings } from '../../shared/config/settings.ts';
import { CallSample } from './call-sample.ts';
import { candidates, isFaster, layoutFor } from './layout.ts';

const cores = availableParallelism();
const measured = { lanes: 1, threads: 2 };
const settings = (env: Record<string, string> = {}) => readSettings(env);

test('settings decide, then what was measured, then a lane per core, and one on a GPU', () => {
  assert.deepEqual(layoutFor('cpu', settings()), { lanes: cores, threads: 1, source: 'default' });
  assert.deepEqual(layoutFor('cuda:0', settings()), { lanes: 1, threads: 1, source: 'default' });
  assert.deepEqual(layoutFor('cpu', settings(), measured), { ...measured, source: 'measured' });
  assert.deepEqual(layoutFor('cpu', settings({ MILLRACE_LANES: '3' }), measured), {
    lanes: 3,
    threads: 1,
    source: 'set',
  });
  const lanes = Math.max(1, Math.floor(cores / 2));
  assert.deepEqual(layoutFor('cpu', settings({ MILLRACE_LANE_THREADS: '2' })), { lanes, threads: 2, source: 'set' });
});

test('candidates use every core, and no call gets more than eight threads', () => {
  assert.deepEqual(candidates(1), [{ lanes: 1, threads: 1 }]);
  assert.deepEqual(candidates(2), [
    { lanes: 2, threads: 1 },
    { lanes: 1, threads: 2 },
  ]);
  assert.deepEqual(
    candidates(32).map(({ lanes, threads }) => `${lanes}x${threads}`),
    ['32x1', '16x2', '8x4', '4x8'],
  );
});

test('one lucky pair of blocks decides nothing, nor a gain within the noise', () => {
  assert.equal(isFaster([1.2, 1.1, 1.3, 1.06, 1.2, 0.8]), true);
  assert.equal(isFaster([1.2, 1.1, 1.3, 1.06, 0.9, 0.8]), false);
  assert.equal(isFaster([1.04, 1.04, 1.04, 1.04, 1.04, 1.04]), false);
  assert.equal(isFaster([]), false);
});

test('a sample holds 24 calls of all that ran, each with the same chance, and none that is large', () => {
  const row = (bytes: number) => ({
    tensors: { x: { type: 'uint8', dims: [bytes], data: new Uint8Array(bytes) } } as const,
    length: 1,
    shapeKey: 'x',
    context: null,
  });
  const sample = new CallSample();
  for (let i = 0; i < 5000; i++) sample.offer({ model: 'm', rows: [row(1)], ms: i });
  assert.equal(sample.calls.length, 24);
  assert.equal(sample.seen, 5000);
  const late = sample.calls.filter(({ ms }) => ms >= 2500).length;
  assert.ok(late >= 3 && late <= 21, `${late} of 24 from the second half`);
  const large = new CallSample();
  large.offer({ model: 'm', rows: [row(2 ** 19), row(2 ** 19 + 1)], ms: 1 });
  assert.equal(large.calls.length, 0);
});
