/** Claims on a real Redis: order, bounds, and what becomes of those that nobody holds any more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestQueue } from '../../testing/test-queue.ts';
import { inspectQueue } from '../inspect-queues.ts';
import { keys } from '../keys.ts';
import { claimJobs, listStrays, putBack } from './claims.ts';
import type { ClaimWish } from './words.ts';

const { redis, store, queue, base, admit } = await openTestQueue();

const admitMany = async (count: number) => {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await admit());
  return ids;
};
const claim = (wish: Partial<ClaimWish> = {}) =>
  claimJobs(redis, { queue, worker: 'w1', max: 100, versions: ['1'], ...wish });
const idsOf = ({ claims }: Awaited<ReturnType<typeof claim>>) => claims.map(({ ref }) => ref.id);
const finish = async (id: string) =>
  await store.finish([{ tenant: 'default', id, kind: 'item', status: 'succeeded', fragment: '1' }]);

test('claims the oldest first, as many as wanted, 64 at most, and what was put back before all', async () => {
  const ids = await admitMany(70);
  assert.deepEqual(idsOf(await claim({ max: 3 })), ids.slice(0, 3));
  const [first] = ids;
  assert.equal(await putBack(redis, [{ queue, id: first as string, owner: 'w1' }]), 1);
  assert.deepEqual(idsOf(await claim()), [first, ...ids.slice(3, 66)]);
  assert.deepEqual(idsOf(await claim()), ids.slice(66));
  assert.deepEqual(await claim(), { claims: [], dueInMs: null, handoverRoom: 0 });
});

test('what a dead worker held is claimed again in its old order, ahead of what waits', async () => {
  const ids = await admitMany(5);
  await claim({ worker: 'dead', max: 3 });
  assert.equal(await putBack(redis, await listStrays(redis, 'me', [queue])), 3);
  assert.deepEqual(idsOf(await claim()), ids);
});

test('a claim starts the job, tells all of it, and pins the version that it wishes or the default', async () => {
  await admit({}, 'a text');
  await admit({ modelVersion: '1' });
  await admit({ modelVersion: '3' });
  const { claims } = await claim({ versions: ['2', '1'] });
  assert.deepEqual(
    claims.map((each) => [each.state, 'version' in each && each.version]),
    [
      ['started', '2'],
      ['started', '1'],
      ['unready', '3'],
    ],
  );
  assert.ok(claims[0]?.state === 'started');
  assert.deepEqual([claims[0].input, claims[0].attempts], [[{ kind: 'text', text: 'a text' }], 1]);
  const hash = await redis.hgetall(keys.job('default', claims[2]?.ref.id as string));
  assert.deepEqual([hash['s'], hash['a']], ['queued', undefined], 'nothing of it was changed');
});

test('takes no more once inputs of 4 MiB are in hand, and leaves the marker for the next', async () => {
  for (let i = 0; i < 40; i++) await admit({}, 'x'.repeat(300_000));
  await redis.del(`${base}:marker`);
  const { claims } = await claim();
  assert.equal(claims.length, 16);
  assert.equal(await redis.zcard(`${base}:marker`), 1);
});

test('a job leaves its queue with its outcome, wherever it is there', async () => {
  const [waiting, active, back] = (await admitMany(3)) as [string, string, string];
  await finish(waiting);
  assert.deepEqual(idsOf(await claim()), [active, back]);
  await putBack(redis, [{ queue, id: back, owner: 'w1' }]);
  await finish(active);
  await finish(back);
  const left = await redis.keys(`${base}:*`);
  assert.deepEqual(
    left.filter((key) => !/:(pc|marker)$/.test(key)),
    [],
  );
});

test('drops a reference whose job is gone and claims what comes behind it', async () => {
  const [gone, next] = (await admitMany(2)) as [string, string];
  await redis.del(keys.job('default', gone));
  assert.deepEqual(idsOf(await claim({ max: 1 })), [next]);
  assert.equal(await redis.exists(`${base}:${gone}`), 0);
});

test('lists claims of those without a sign of life, and of the one that asks', async () => {
  const [one, two, three] = (await admitMany(3)) as [string, string, string];
  for (const worker of ['dead', 'alive', 'me']) await claim({ worker, max: 1 });
  await redis.set(keys.workerAlive('alive'), '1');
  await redis.set(keys.workerAlive('me'), '1');
  const found = async (worker: string) => (await listStrays(redis, worker, [queue, 'other.low'])).map(({ id }) => id);
  assert.deepEqual((await found('me')).sort(), [one, three].sort());
  assert.deepEqual((await found('alive')).sort(), [one, two].sort());
});

test('puts back once what two have found, and not what was put off meanwhile', async () => {
  const [found, delayed] = (await admitMany(2)) as [string, string];
  await claim({ worker: 'dead' });
  const strays = await listStrays(redis, 'me', [queue]);
  const inspected = inspectQueue(queue, redis);
  await (await inspected.getJob(delayed))?.moveToDelayed(Date.now() + 60_000, '0');
  await inspected.close();
  assert.deepEqual([await putBack(redis, strays), await putBack(redis, strays)], [1, 0]);
  assert.deepEqual(await redis.lrange(`${base}:wait`, 0, -1), [found]);
});

test('puts nothing back that ended, or that another has claimed meanwhile', async () => {
  const [ended, moved] = (await admitMany(2)) as [string, string];
  await claim({ worker: 'dead' });
  const strays = await listStrays(redis, 'me', [queue]);
  assert.equal(strays.length, 2);
  await finish(ended);
  await putBack(redis, [{ queue, id: moved, owner: 'dead' }]);
  await claim({ worker: 'quick' });
  assert.equal(await putBack(redis, strays), 0);
  assert.deepEqual(await redis.lrange(`${base}:active`, 0, -1), [moved]);
});

test('a second claim of a started job counts the attempt and keeps the first start', async () => {
  const id = await admit({ items: 2, list: true });
  const first = (await claim()).claims[0];
  await finish(id);
  await putBack(redis, [{ queue, id, owner: 'w1' }]);
  const second = (await claim({ versions: ['9'] })).claims[0];
  assert.ok(first?.state === 'started' && second?.state === 'started');
  assert.deepEqual([second.attempts, second.startedMs], [2, first.startedMs]);
  assert.deepEqual([...second.finishedItems], [0]);
});
