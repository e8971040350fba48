import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupCommit } from './group-commit.ts';

test('what arrives during a write goes out together, in order, with its own reply', async () => {
  const writes: number[][] = [];
  const group = new GroupCommit<number, number>(async (items) => {
    writes.push(items);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return items.map((item) => item * 10);
  }, 4);
  const replies = await Promise.all([1, 2].map((n) => group.add(n)));
  assert.deepEqual(replies, [10, 20]);
  assert.deepEqual(await Promise.all([3, 4, 5, 6, 7].map((n) => group.add(n))), [30, 40, 50, 60, 70]);
  assert.deepEqual(writes, [[1, 2], [3, 4, 5, 6], [7]]);
});

test('a failed write fails its own group and no other', async () => {
  let fails = true;
  const group = new GroupCommit<number, number>(async (items) => {
    if (fails) throw new Error('down');
    return items;
  });
  await assert.rejects(group.add(1), /down/);
  fails = false;
  assert.equal(await group.add(2), 2);
});

test('what may linger goes out with what may not, in order, or alone after its time', async () => {
  const writes: number[][] = [];
  const group = new GroupCommit<number, number>(async (items) => {
    writes.push(items);
    return items;
  });
  const lingering = group.add(1, 60_000);
  await Promise.all([lingering, group.add(2)]);
  assert.deepEqual(writes, [[1, 2]]);
  const startedAt = performance.now();
  assert.deepEqual(await Promise.all([group.add(3, 20), group.add(4, 60_000)]), [3, 4]);
  assert.ok(performance.now() - startedAt >= 19);
  assert.deepEqual(writes, [
    [1, 2],
    [3, 4],
  ]);
});

test('what lingers during a write does not go out before its time, and no write is empty', async () => {
  const writes: number[][] = [];
  const begun = Promise.withResolvers<void>();
  const ends = Promise.withResolvers<void>();
  const group = new GroupCommit<number, number>(async (items) => {
    writes.push(items);
    begun.resolve();
    await ends.promise;
    return items;
  });
  const first = group.add(1);
  await begun.promise;
  const second = group.add(2, 30);
  ends.resolve();
  await first;
  assert.deepEqual(writes, [[1]]);
  await second;
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.deepEqual(writes, [[1], [2]]);
});

test('what lingers behind something urgent goes with it, and leaves nothing to write', async () => {
  const writes: number[][] = [];
  const group = new GroupCommit<number, number>(async (items) => {
    writes.push(items);
    return items;
  });
  await Promise.all([group.add(1), group.add(2, 10)]);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual(writes, [[1, 2]]);
});
