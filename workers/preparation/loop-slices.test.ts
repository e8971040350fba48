import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoopSlices } from './loop-slices.ts';

function burn(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('the loop turns all along while a hundred pieces of 2 ms are done', async () => {
  const slices = new LoopSlices();
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await Promise.all(Array.from({ length: 100 }, () => slices.run(async () => burn(2))));
  clearInterval(timer);
  // 200 ms in slices of 4 to 6 ms.
  assert.ok(turns >= 20, `${turns} turns`);
});

test('results come back in order, and a piece that throws fails alone', async () => {
  const slices = new LoopSlices();
  const done: number[] = [];
  const results = await Promise.allSettled(
    [1, 2, 3].map((n) =>
      slices.run(async () => {
        if (n === 2) throw new Error('bad');
        done.push(n);
        return n;
      }),
    ),
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(done, [1, 3]);
});
