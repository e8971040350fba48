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
