/** Jobs that are handed to an idle consumer as they are admitted, on a real Redis: who gets which, and that it is a claim. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestQueue } from '../../testing/test-queue.ts';
import { inspectQueue } from '../inspect-queues.ts';
import { keys } from '../keys.ts';
import { claimJobs, listStrays, putBack, readHandover } from './claims.ts';
import type { JobRecord } from './record.ts';
import type { ClaimWish } from './words.ts';

const { redis, store, queue, base, admit } = await openTestQueue();

/** A consumer that lives and found its queue empty. */
async function ask(worker: string, max = 4, wish: Partial<ClaimWish> = {}) {
  await redis.set(keys.workerAlive(worker), '1');
  return await claimJobs(redis, { queue, worker, max, versions: ['1'], takesHandovers: true, ...wish });
}
const handedTo = async (worker: string) =>
  (await redis.zrange(keys.handover(queue, worker), '0', '-1')).flatMap((message) => readHandover(message));
const idsOf = async (worker: string) => (await handedTo(worker)).map(({ ref }) => ref.id);
const waiting = async () => await redis.zcard(`${base}:prioritized`);

test('a job that is handed over is started, and as a claim by script would have left it', async () => {
  await ask('w1', 4, { versions: ['2', '1'] });
  const handed = await admit({ modelVersion: '1' }, 'a text');
  await ask('w2');
  await redis.del(keys.workerAlive('w1'), keys.idle(queue));
  const asked = await admit({ modelVersion: '1' }, 'a text');
  const { claims } = await claimJobs(redis, { queue, worker: 'w1', max: 1, versions: ['2', '1'] });
  const [message] = await handedTo('w1');
  const [claim] = claims;
  assert.ok(message && claim?.state === 'started');
  const timeless = ({ createdMs, startedMs, ref: _ref, request, ...rest }: typeof message) => {
    assert.ok(startedMs >= createdMs);
    return { ...rest, request: { ...request, id: '' } };
  };
  assert.deepEqual(timeless(message), timeless(claim));
  assert.deepEqual(shapeOf(await store.read({ tenant: 'default', id: handed })), shapeOf(await store.read(claim.ref)));
  const [one, other] = await Promise.all([handed, asked].map((id) => redis.hgetall(`${base}:${id}`)));
  assert.deepEqual(Object.keys(one ?? {}).sort(), Object.keys(other ?? {}).sort());
  assert.equal(await (await inspectQueue(queue, redis).getJob(handed))?.getState(), 'active');
});

function shapeOf(record: JobRecord | 'gone' | null) {
  assert.ok(record && record !== 'gone');
  const { status, attempts, modelVersion, events } = record;
  return { status, attempts, modelVersion, events: events.map(({ seq, name }) => [seq, name]) };
}

test('goes to the live consumer with most room, as often as it said, and what is more waits', async () => {
  await ask('small', 1);
  await ask('large', 2);
  await ask('dead', 9);
  await redis.del(keys.workerAlive('dead'));
  const first = await admit();
  assert.deepEqual(await idsOf('large'), [first]);
  const ids = [first, await admit(), await admit()];
  assert.deepEqual([...(await idsOf('large')), ...(await idsOf('small'))].sort(), ids.sort());
  assert.deepEqual([(await idsOf('large')).length, (await idsOf('dead')).length], [2, 0]);
  await admit();
  assert.deepEqual([await waiting(), await redis.zcard(`${base}:marker`)], [1, 1]);
  assert.equal(await redis.exists(keys.idle(queue)), 0);
});

test('what comes together is handed over together, in order, as far as there is room', async () => {
  await ask('w1', 3);
  const ids = await Promise.all(Array.from({ length: 5 }, () => admit()));
  assert.deepEqual(await idsOf('w1'), ids.slice(0, 3));
  assert.equal(await redis.zcard(keys.handover(queue, 'w1')), 1, 'one message');
  assert.equal(await waiting(), 2);
});

test('a job that may wait for some time only is not taken for started by a consumer that may be frozen', async () => {
  await ask('w1');
  await admit({}, 'hi', { expiresInSeconds: 60 });
  assert.deepEqual([await idsOf('w1'), await waiting(), await redis.zcard(keys.startBy)], [[], 1, 1]);
});

test('nothing goes ahead of what waits, is too long, wishes another version, or stands in a paused queue', async () => {
  await ask('w1');
  await Promise.all([admit({}, 'x'.repeat(5000)), admit()]);
  await admit();
  assert.deepEqual([await idsOf('w1'), await waiting()], [[], 3]);
  await redis.flushall();
  await ask('w1');
  await admit({ modelVersion: '7' });
  assert.deepEqual([await idsOf('w1'), await waiting()], [[], 1]);
  await redis.flushall();
  await ask('w1');
  await inspectQueue(queue, redis).pause();
  await admit();
  assert.deepEqual(await idsOf('w1'), []);
});

test('a consumer that claims all that waits is handed what comes next, as much as it has room for then', async () => {
  await Promise.all([admit(), admit(), admit()]);
  const part = await ask('w1', 3);
  assert.deepEqual([part.claims.length, part.handoverRoom], [3, 0]);
  await admit();
  assert.deepEqual([await idsOf('w1'), await waiting()], [[], 1]);
  const rest = await ask('w1', 3);
  assert.deepEqual([rest.claims.length, rest.handoverRoom], [1, 2]);
  const ids = await Promise.all([admit(), admit(), admit()]);
  assert.deepEqual([await idsOf('w1'), await waiting()], [ids.slice(0, 2), 1]);
});

test('a job that got lost on the way waits again, and its record names the version that answers', async () => {
  await ask('w1');
  const id = await admit();
  const strays = await listStrays(redis, 'w1', [queue]);
  assert.deepEqual(strays, [{ queue, id, owner: 'w1' }]);
  assert.equal(await putBack(redis, strays), 1);
  const { claims } = await claimJobs(redis, { queue, worker: 'w2', max: 1, versions: ['2'] });
  assert.equal(claims[0]?.state === 'started' && claims[0].attempts, 2);
  const record = await store.read({ tenant: 'default', id });
  assert.equal(record && record !== 'gone' && record.modelVersion, '2');
});
