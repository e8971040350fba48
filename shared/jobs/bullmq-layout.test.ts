/**
 * `store/scripts/queues.lua` writes queues as BullMQ lays them out. Held here against the installed BullMQ itself, so that
 * an upgrade that changes the layout fails in this file.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Worker } from 'bullmq';
import { jobRequest } from '../testing/job-request.ts';
import { openTestQueue } from '../testing/test-queue.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { inspectQueue } from './inspect-queues.ts';
import { keys } from './keys.ts';
import type { QueuedJob } from './queued-job.ts';
import { JobQueues, markerOf } from './queues.ts';
import { claimJobs, putBack } from './store/claims.ts';

const { redis, store, queue: name, base, admit } = await openTestQueue();
const queues = new JobQueues(redis);
const queue = queues.get('m', 'normal');
await queue.waitUntilReady();

after(() => queues.close());

const claim = async (max = 100) => await claimJobs(redis, { queue: name, worker: 'w1', max, versions: ['1'] });
const counts = async () => await queue.getJobCounts('prioritized', 'wait', 'active', 'delayed', 'completed', 'failed');

test('writes what BullMQ writes for a job of its own: the same keys, fields, scores and marker', async () => {
  const shape = async () => {
    const found = (await redis.keys(`${base}:*`)).filter((key) => !/:(id|meta|events)$/.test(key)).sort();
    const id = found.find((key) => key.includes(':job_'))?.slice(base.length + 1) ?? '';
    const { timestamp, opts, ...fields } = await redis.hgetall(`${base}:${id}`);
    return {
      keys: found.map((key) => key.replace(id, 'ID')),
      fields: { ...fields, hasTimes: Number(timestamp) > 1e12, opts: typeof opts },
      waits: (await redis.zrange(`${base}:prioritized`, '0', '-1', 'WITHSCORES')).slice(1),
      marker: await redis.zrange(markerOf(name), '0', '-1', 'WITHSCORES'),
      counter: await redis.get(`${base}:pc`),
    };
  };
  await queues.add(jobRequest({ modelVersion: '2' }));
  const theirs = await shape();
  await redis.flushall();
  await admit({ modelVersion: '2' });
  assert.deepEqual(await shape(), theirs);
});

test('BullMQ reads, counts and removes what we admitted and claimed', async () => {
  const [first, second] = [await admit({ modelVersion: '1' }), await admit()];
  assert.deepEqual(await counts(), { prioritized: 2, wait: 0, active: 0, delayed: 0, completed: 0, failed: 0 });
  await claim(1);
  const job = await queue.getJob(first);
  assert.deepEqual([job?.name, job?.data, job?.priority], ['run', { t: 'default', v: '1' }, 1]);
  assert.ok(job && Math.abs(job.timestamp - Date.now()) < 60_000 && Number(job.processedOn) >= job.timestamp);
  assert.equal(job.processedBy, 'w1');
  assert.deepEqual([await job.getState(), await queue.getJobState(second)], ['active', 'prioritized']);
  assert.equal(await queue.remove(second), 1);
  assert.deepEqual((await claim()).claims, []);
  await store.finish([{ tenant: 'default', id: first, kind: 'item', status: 'succeeded', fragment: '1' }]);
  assert.equal(await queue.getJobState(first), 'unknown');
  await queue.obliterate({ force: true });
  const left = (await redis.keys(`${base}:*`)).filter((key) => !/:(pc|marker|events)$/.test(key));
  assert.deepEqual(left, []);
});

test('jobs of both ways of adding are claimed in order of arrival', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    ids.push(await admit());
    const job = jobRequest();
    await redis.hset(keys.job('default', job.id), {
      v: 1,
      req: JSON.stringify(job),
      in: '[]',
      s: 'queued',
      c: 1,
      l: 0,
    });
    await queues.add(job);
    ids.push(job.id);
  }
  assert.deepEqual(
    (await claim()).claims.map(({ ref }) => ref.id),
    ids,
  );
});

test("a worker of BullMQ's, blocked on an empty queue, wakes for what we admit and takes it in order", async () => {
  const ran: string[] = [];
  const connection = redis.duplicate();
  const worker = new Worker<QueuedJob>(name, async ({ id }) => void ran.push(id as string), {
    connection,
    prefix: keys.queuePrefix,
    drainDelay: 60,
  });
  worker.on('error', () => {});
  await worker.waitUntilReady();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const ids = [await admit(), await admit(), await admit()];
  await waitUntil('all ran', () => ran.length === 3);
  assert.deepEqual(ran, ids);
  await worker.close(true);
  connection.disconnect();
});

test('what BullMQ delays comes back when it is due, and BullMQ says when', async () => {
  const id = await admit();
  await claim();
  const job = await queue.getJob(id);
  await job?.moveToDelayed(Date.now() + 60_000, '0');
  assert.deepEqual([(await counts())['active'], (await counts())['delayed']], [0, 1]);
  const { claims, dueInMs } = await claim();
  assert.ok(claims.length === 0 && dueInMs !== null && dueInMs > 0 && dueInMs <= 60_001, `due in ${dueInMs} ms`);
  await job?.changeDelay(1);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(
    (await claim()).claims.map(({ ref }) => ref.id),
    [id],
  );
});

test('a queue that was paused through BullMQ gives nothing, and wakes its consumers when it goes on', async () => {
  const id = await admit();
  await queue.pause();
  assert.deepEqual((await claim()).claims, []);
  const blocked = redis.duplicate();
  const woken = blocked.bzpopmin(markerOf(name), 30);
  await queue.resume();
  assert.notEqual(await woken, null);
  assert.deepEqual(
    (await claim()).claims.map(({ ref }) => ref.id),
    [id],
  );
  blocked.disconnect();
});

test('a job whose delay ends in a paused queue waits there, and is due no more', async () => {
  const id = await admit();
  await claim();
  await (await queue.getJob(id))?.moveToDelayed(Date.now() - 1, '0');
  await queue.pause();
  assert.deepEqual(await claim(), { claims: [], dueInMs: null, handoverRoom: 0 });
  assert.deepEqual([(await counts())['wait'], (await counts())['delayed']], [1, 0]);
  await queue.resume();
  assert.deepEqual(
    (await claim()).claims.map(({ ref }) => ref.id),
    [id],
  );
});

test('jobs that wait again count among those that wait, also for the age of the oldest', async () => {
  const id = await admit();
  await claim();
  await new Promise((resolve) => setTimeout(resolve, 60));
  await putBack(redis, [{ queue: name, id, owner: 'w1' }]);
  const alone = await queues.depth('m', 'normal');
  assert.deepEqual([alone.waiting, alone.oldestMs >= 50, alone.oldestClaimedMs], [1, true, 0]);
  await admit();
  const both = await queues.depth('m', 'normal');
  assert.deepEqual([both.waiting, both.oldestMs >= 50], [2, true]);
});

test('whoever only looks sees the same, and changes nothing', async () => {
  await admit();
  const before = await redis.dbsize();
  const look = inspectQueue(name, redis);
  assert.equal(await look.getPrioritizedCount(), 1);
  assert.equal((await look.getJobs(['prioritized'])).length, 1);
  await look.close();
  assert.equal(await redis.dbsize(), before);
});
