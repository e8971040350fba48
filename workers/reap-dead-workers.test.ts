import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Redis } from 'ioredis';
import { keys } from '../shared/jobs/keys.ts';
import { claimJobs } from '../shared/jobs/store/claims.ts';
import { JobStore } from '../shared/jobs/store/job-store.ts';
import { createLogger } from '../shared/observability/logger.ts';
import { jobRequest } from '../shared/testing/job-request.ts';
import { startTestRedis, type TestRedis } from '../shared/testing/redis.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { HeldClaims } from './claims/held-claims.ts';
import { Reaper } from './reap-dead-workers.ts';

let server: TestRedis;
let redis: Redis;
let reaper: Reaper;
let held: HeldClaims;

before(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
  held = new HeldClaims(redis, 'me');
  held.watch('m.normal');
  reaper = new Reaper(redis, new JobStore(redis), held, createLogger('test', 'silent'));
});
after(async () => {
  reaper.stop();
  redis.disconnect();
  await server.stop();
});

const entry = 'm/other';
const isKept = async () => (await redis.hexists(keys.modelStates, entry)) === 1;

test('a worker that is slower to come back after Redis was away is not taken for dead; one that is dead is', async () => {
  await redis.hset(keys.modelStates, entry, '{}');
  await redis.set(keys.workerAlive('other'), '1', 'PX', 60_000);
  reaper.start();
  await new Promise((resolve) => setTimeout(resolve, 5000));
  assert.equal(await isKept(), true);
  server.process().kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 3500));
  const back = Date.now();
  server.process().kill('SIGCONT');
  await redis.del(keys.workerAlive('other')); // It lapsed meanwhile.
  await waitUntil('it is reaped', async () => !(await isKept()));
  assert.ok(Date.now() - back > 3000, 'one lifetime to say that it lives');
});

test('what a dead worker had claimed waits again, once what its calls had on board is suspect', async () => {
  const store = new JobStore(redis);
  const [onBoard, innocent] = [jobRequest(), jobRequest()];
  const input = [{ kind: 'text', text: 'hi' } as const];
  for (const job of [onBoard, innocent]) await store.admit(job, { input, queueMax: 10, tenantMax: 10 });
  await redis.set(keys.workerAlive('victim'), '1', 'PX', 300);
  await claimJobs(redis, { queue: 'm.normal', worker: 'victim', max: 2, versions: ['1'] });
  await redis.hset(keys.calls, 'victim/lane-0', `default/${onBoard.id}`);
  const claimedMs = performance.now();
  await waitUntil('both wait again', async () => (await redis.llen(`${keys.queuePrefix}:m.normal:wait`)) === 2);
  // What is promised for the jobs of a worker that was killed.
  assert.ok(performance.now() - claimedMs < 15_000);
  const crashes = await Promise.all([onBoard, innocent].map(({ id }) => redis.hget(keys.job('default', id), 'x')));
  assert.deepEqual(crashes, ['1', null]);
});
