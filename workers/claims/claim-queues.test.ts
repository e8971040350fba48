/** Consumers on a real Redis; what a claim takes and how it ends stands in the tests' own hands. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Redis } from 'ioredis';
import { keys } from '../../shared/jobs/keys.ts';
import { claimJobs, leaveQueue, putBack } from '../../shared/jobs/store/claims.ts';
import { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { Claim } from '../../shared/jobs/store/words.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { jobRequest } from '../../shared/testing/job-request.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { ClaimBudget } from './claim-budget.ts';
import { ClaimLater, ClaimQueues } from './claim-queues.ts';
import { HeldClaims } from './held-claims.ts';

const queue = 'm.normal';
const base = `${keys.queuePrefix}:${queue}`;
let server: TestRedis;
let redis: Redis;
let store: JobStore;
let held: HeldClaims;
let consumers: ClaimQueues;
/** Claims under way, and how to end them. */
let open: Map<string, PromiseWithResolvers<void>>;
/** Of each claim that began, in order; those of them that nobody had to ask for. */
let begun: string[];
let handed: string[];
/** What is handed over can not run here. */
let refused: boolean;
/** In the turn of the loop in which a handover came. */
let onHanded: () => void;

before(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
  store = new JobStore(redis);
});
after(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await redis.flushall();
  open = new Map();
  begun = [];
  handed = [];
  refused = false;
  onHanded = () => {};
  held = new HeldClaims(redis, 'me');
  consumers = new ClaimQueues({
    model: 'm',
    redis,
    worker: 'me',
    budget: new ClaimBudget(1, 250), // 4 items
    held,
    logger: createLogger('test', 'silent'),
    async claim(name, max, begin) {
      const found = await claimJobs(redis, { queue: name, worker: 'me', max, versions: ['1'], takesHandovers: true });
      for (const claim of found.claims) begin(claim, note(claim));
      return found;
    },
    async take(claims, begin) {
      onHanded();
      const served = refused ? [] : claims;
      for (const claim of served) begin(claim, note(claim));
      handed.push(...served.map(({ ref }) => ref.id));
      return refused ? claims : [];
    },
  });
});
afterEach(async () => {
  for (const { resolve } of open.values()) resolve();
  await consumers.close();
});

function note({ ref: { id } }: Claim): Promise<void> {
  const work = Promise.withResolvers<void>();
  open.set(id, work);
  begun.push(id);
  return work.promise;
}
/** Jobs are handed only to workers that show signs of life, and only once a consumer has found its queue empty. */
const untilIdle = async () => {
  await redis.set(keys.workerAlive('me'), '1');
  await waitUntil('it asks for jobs', async () => (await redis.hexists(keys.idle(queue), 'me')) === 1, 8000);
};
async function admit(items = 1): Promise<string> {
  const job = jobRequest();
  const input = Array.from({ length: items }, () => ({ kind: 'text', text: 'hi' }) as const);
  await store.admit(job, { input, queueMax: 1e6, tenantMax: 1e6 });
  return job.id;
}
const end = async (id: string) => {
  await store.finish([{ tenant: 'default', id, kind: 'item', status: 'succeeded', fragment: '1' }]);
  open.get(id)?.resolve();
  open.delete(id);
};
const begins = (count: number) => waitUntil(`${count} claims`, () => begun.length === count);

test('claims what its budget has room for, and goes on with every job that ends', async () => {
  const ids = await Promise.all(Array.from({ length: 10 }, () => admit()));
  await begins(4);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(begun.length, 4);
  await end([...open.keys()][0] as string);
  await begins(5);
  for (let at = 1; at < 10; at++) {
    await waitUntil('one is under way', () => open.size > 0);
    await end([...open.keys()][0] as string);
  }
  await begins(10);
  assert.deepEqual([...begun].sort(), ids.sort());
});

test('counts the items of a job, and fills up again as they end', async () => {
  for (let n = 0; n < 4; n++) await admit(3);
  await begins(2);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(begun.length, 2, 'six items are more than four');
  const [first] = open.keys();
  open.get(first as string)?.resolve();
  open.delete(first as string);
  await begins(3);
});

test('wakes for a job while its queue is empty, long before it would look by itself', async () => {
  await new Promise((resolve) => setTimeout(resolve, 300));
  const admittedMs = performance.now();
  await admit();
  await begins(1);
  // By itself it looks 4.7 s later.
  assert.ok(performance.now() - admittedMs < 4000);
});

test('takes what is handed to it while its queue is empty, no more than it has room for, and then claims again', async () => {
  await untilIdle();
  const ids: string[] = [];
  for (let n = 0; n < 6; n++) ids.push(await admit());
  await begins(4);
  assert.deepEqual(handed.slice(0, 2), ids.slice(0, 2));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual([begun.length, await redis.zcard(`${base}:prioritized`)], [4, 2]);
  await end(ids[0] as string);
  await end(ids[1] as string);
  await begins(6);
  assert.deepEqual(begun, ids);
});

test('what is handed to it goes to its lane before it waits for the next', async (t) => {
  await untilIdle();
  const order: string[] = [];
  onHanded = () => setImmediate(() => order.push('goes'));
  const wait = Redis.prototype.bzpopmin as (...all: unknown[]) => Promise<never>;
  t.mock.method(Redis.prototype, 'bzpopmin', function (this: Redis, key: string, ...rest: unknown[]) {
    if (key === keys.handover(queue, 'me')) order.push('waits');
    return wait.call(this, key, ...rest);
  });
  await admit();
  await waitUntil('it waits again', () => order.includes('waits'));
  assert.deepEqual(order, ['goes', 'waits']);
});

test('gives back what was handed to it and can not run here, and claims it then', async () => {
  await untilIdle();
  refused = true;
  const id = await admit();
  await begins(1);
  assert.deepEqual([begun, handed], [[id], []]);
});

test('a consumer that goes gives back what it was handed and has not read', async () => {
  await untilIdle();
  await consumers.close();
  assert.equal(await redis.exists(keys.idle(queue)), 0);
  await claimJobs(redis, { queue, worker: 'me', max: 4, versions: ['1'], takesHandovers: true });
  const id = await admit();
  assert.equal(await redis.llen(`${base}:active`), 1);
  await leaveQueue(redis, queue, 'me');
  assert.deepEqual(await redis.lrange(`${base}:wait`, 0, -1), [id]);
});

test('a paused consumer claims nothing, passes on what wakes it, and goes on when it is resumed', async () => {
  await new Promise((resolve) => setTimeout(resolve, 300)); // By now it is blocked.
  consumers.pause();
  await admit();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await waitUntil('another worker may wake', async () => (await redis.zcard(`${base}:marker`)) === 1);
  await admit();
  assert.equal(begun.length, 0);
  consumers.resume();
  await begins(2);
});

test('closing waits for the claims under way, and takes no more', async () => {
  const id = await admit();
  await begins(1);
  let isClosed = false;
  const closing = consumers.close().then(() => {
    isClosed = true;
  });
  await admit();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual([isClosed, begun.length], [false, 1]);
  await end(id);
  await closing;
});

test('a job that can not start now is delayed and claimed again, also after a fault that nobody foresaw', async () => {
  const [first, second] = [await admit(), await admit()];
  await begins(2);
  // Before the other one, which waits 5 s; late enough to be seen waiting on a busy machine.
  open.get(first)?.reject(new ClaimLater(2500));
  open.get(second)?.reject(new Error('unforeseen'));
  await waitUntil('both are delayed', async () => (await redis.zcard(`${base}:delayed`)) === 2);
  assert.equal(await redis.llen(`${base}:active`), 0);
  await begins(3);
  assert.equal(begun[2], first);
  await end(first);
  await waitUntil('the other one, too', () => begun.length === 4);
});

test('a claim whose reply was lost waits again once two looks have found it unheld; what is held never does', async () => {
  const [kept] = [await admit()];
  await begins(1);
  consumers.pause();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const lost = await admit();
  await claimJobs(redis, { queue, worker: 'me', max: 1, versions: ['1'] });
  assert.deepEqual(await held.findStrays(), []);
  const strays = await held.findStrays();
  assert.deepEqual(
    strays.map(({ id }) => id),
    [lost],
  );
  await putBack(redis, strays);
  consumers.resume();
  await begins(2);
  assert.deepEqual(begun, [kept, lost]);
});

test('closes while Redis is away, and goes on after it was', async () => {
  await admit();
  await begins(1);
  const other = new ClaimQueues({
    ...{ model: 'other', redis, held, budget: new ClaimBudget(1, 250), logger: createLogger('test', 'silent') },
    worker: 'me',
    claim: async () => ({ claims: [], dueInMs: null, handoverRoom: 4 }),
    take: async () => [],
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  server.process().kill('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 300));
  await other.close();
  await server.restart();
  await waitUntil('the connection is back', () => redis.status === 'ready');
  await admit();
  await waitUntil('it is claimed', () => begun.length === 2);
});
