import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Redis } from 'ioredis';
import { mergeItem } from '../models/preparation/merge-item.ts';
import { modelFiles } from '../models/testing/model-files.ts';
import { BlobStore } from '../shared/blobs/blob-store.ts';
import { readSettings } from '../shared/config/settings.ts';
import type { JobClass, JobRequest } from '../shared/jobs/job.ts';
import { isOutcome } from '../shared/jobs/job.ts';
import { keys } from '../shared/jobs/keys.ts';
import { JobQueues } from '../shared/jobs/queues.ts';
import { type JobRecord, JobStore } from '../shared/jobs/store/job-store.ts';
import { createLogger } from '../shared/observability/logger.ts';
import { createRegistry } from '../shared/observability/metrics.ts';
import { Problem } from '../shared/problems/problem.ts';
import { connectConsumer, connectProducer } from '../shared/redis/connection.ts';
import { jobRequest } from '../shared/testing/job-request.ts';
import { startTestRedis, type TestRedis } from '../shared/testing/redis.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { InferenceWorker } from './inference-worker.ts';
import type { FakeContext } from './lane/fake-lane.ts';
import type { PreparesItems } from './preparation/prepare-input.ts';
import type { InferenceWorkerParts } from './worker-parts.ts';

const logger = createLogger('test', 'silent');
let server: TestRedis;
let producer: Redis;
let store: JobStore;
let queues: JobQueues;
let worker: InferenceWorker;
let registry: ReturnType<typeof createRegistry>;
let consumer: Redis;
let blobs: BlobStore;

/** `does says ms`: rows say what the fake lane does with them. `refuse` fails in preparation. */
const preparer: PreparesItems = {
  async prepare(input) {
    assert.ok(input.kind === 'text');
    const [does, says = '', ms] = input.text.split(' ');
    if (does === 'refuse') throw new Problem('input-too-long', 'told to refuse');
    const context = { does: does as FakeContext['does'], says, ms: Number(ms ?? 1) } satisfies FakeContext;
    return [{ tensors: {}, length: 1, shapeKey: 'x', context }];
  },
  async warm() {},
  merge: mergeItem,
  async close() {},
};

const parts = (): InferenceWorkerParts => ({
  device: 'cpu',
  settings: { ...readSettings({ MILLRACE_PREDICTIONS: 'off' }), lanesPerWorker: 2 },
  redis: consumer,
  blobs,
  models: ['fake', 'kills-on-load', 'fails-to-load'].map((id) => modelFiles({ id })),
  registry: createRegistry('worker', 'test'),
  logger,
  engine: { laneEntry: join(import.meta.dirname, 'lane/fake-lane.ts'), preparer },
});

function startWorker(): void {
  consumer = connectConsumer(server.url, logger);
  const given = parts();
  registry = given.registry;
  worker = new InferenceWorker(given);
}

before(async () => {
  server = await startTestRedis();
  blobs = new BlobStore(mkdtempSync(join(tmpdir(), 'millrace-')));
  await blobs.open();
  producer = connectProducer(server.url, logger);
  await waitUntil('producer is ready', () => producer.status === 'ready');
  store = new JobStore(producer);
  queues = new JobQueues(producer);
  startWorker();
  await worker.start();
});
after(async () => {
  await worker.stop();
  await queues.close();
  producer.disconnect();
  consumer.disconnect();
  await server.stop();
});

async function submit(texts: string[], extra: Partial<JobRequest> = {}): Promise<JobRequest> {
  const priority: JobClass = extra.priority ?? 'normal';
  const job = jobRequest({ model: 'fake', items: texts.length, retentionSeconds: 600, ...extra, priority });
  await store.admit(job, { input: texts.map((text) => ({ kind: 'text', text })), queueMax: 1e6, tenantMax: 1e6 });
  return job;
}

async function outcome(job: JobRequest, timeoutMs = 90_000): Promise<JobRecord> {
  let record: JobRecord | 'gone' | null = null;
  await waitUntil(
    `job ${job.id} ends`,
    async () => {
      record = await store.read(job);
      return record !== null && record !== 'gone' && isOutcome(record.status);
    },
    timeoutMs,
  );
  return record as unknown as JobRecord;
}

async function readWithBlobs(job: JobRequest): Promise<JobRecord> {
  return (await new JobStore(producer, (name) => blobs.readText(name)).read(job)) as JobRecord;
}

test('a worker that starts again is another one, though a container gives it the same pid', async () => {
  await new Promise((resolve) => setTimeout(resolve, 2));
  const again = new InferenceWorker(parts());
  assert.notEqual(again.name, worker.name);
  await again.stop();
});

test('runs a job to its output and leaves nothing in BullMQ', async () => {
  const record = await outcome(await submit(['echo hello']));
  assert.equal(record.status, 'succeeded');
  assert.deepEqual(record.output, { says: 'hello', rows: 1 });
  assert.equal(record.attempts, 1);
  await waitUntil(
    'queue is empty',
    async () => (await producer.keys(`${keys.queuePrefix}:fake.normal:job_*`)).length === 0,
  );
});

test('one bad item fails alone, whether preparation, the row or the whole call is at fault', async () => {
  const record = await outcome(await submit(['echo a', 'refuse b', 'bad c', 'throw d', 'echo e']));
  assert.equal(record.status, 'succeeded');
  const results = record.output as { status: string; error?: { type: string } }[];
  assert.deepEqual(
    results.map((r) => r.status),
    ['succeeded', 'failed', 'failed', 'failed', 'succeeded'],
  );
  assert.deepEqual(
    results.map((r) => r.error?.type),
    [undefined, '/problems/input-too-long', '/problems/inference-failed', '/problems/inference-failed', undefined],
  );
});

test('an item that kills its lane is set aside after four starts; its batch-mates succeed', async () => {
  const innocents = await Promise.all(Array.from({ length: 20 }, (_, i) => submit([`echo ${i} 5`])));
  const poison = await submit(['kill it']);
  const more = await Promise.all(Array.from({ length: 20 }, (_, i) => submit([`echo ${i} 5`])));
  const record = await outcome(poison);
  assert.equal(record.status, 'failed');
  assert.equal(record.error?.type, '/problems/poison-job');
  for (const job of [...innocents, ...more]) assert.equal((await outcome(job)).status, 'succeeded');
  const metrics = await registry.getMetricsAsJSON();
  const ends = metrics.find((metric) => metric.name === 'inference_lane_ends_total');
  const deaths = ends?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
  assert.ok(deaths >= 4, `${deaths} lanes ended`);
  assert.deepEqual(await producer.zrange(keys.dead, '0', '-1'), [`default/${poison.id}`]);
});

test('a death that the worker has counted is not left for the reaper to count again', async () => {
  const poison = await submit(['kill it']);
  assert.equal((await outcome(poison)).error?.type, '/problems/poison-job');
  const calls = Object.values(await producer.hgetall(keys.calls));
  assert.ok(!calls.some((members) => members.includes(poison.id)), calls.join(' '));
});

test('a job of a release too far away waits in its queue for another release', async () => {
  const job = jobRequest({ model: 'fake' });
  await producer.hset(keys.job('default', job.id), { v: 9, req: '{}', in: '[]', s: 'queued', q: 'fake.normal' });
  await queues.add(job);
  await waitUntil('it is delayed', async () => (await queues.get('fake', 'normal').getDelayedCount()) === 1);
  assert.equal(await producer.hget(keys.job('default', job.id), 's'), 'queued');
});

test('nobody is left on board of a call that ended', async () => {
  await outcome(await submit(['echo long 50']));
  await waitUntil('no call is noted', async () => (await producer.hlen(keys.calls)) === 0);
});

test('a canceled job drops its rows, and one past its timeout fails as such', async () => {
  const slow = await submit(['echo slow 3000']);
  await waitUntil('it runs', async () => ((await store.read(slow)) as JobRecord).status === 'processing');
  await store.finish([{ ...slow, kind: 'job', status: 'canceled', fragment: '{}' }]);
  await producer.publish(keys.control, `cancel default/${slow.id}`);
  const timed = await submit(['echo late 3000'], { timeoutSeconds: 0.2 });
  const record = await outcome(timed);
  assert.equal(record.error?.type, '/problems/run-timeout');
  assert.equal((await outcome(slow)).status, 'canceled');
});

test('high jobs overtake a backlog of low ones', async () => {
  const low = await Promise.all(Array.from({ length: 60 }, () => submit(['echo low 100'], { priority: 'low' })));
  const high = await submit(['echo high'], { priority: 'high' });
  const highEnd = (await outcome(high)).finishedMs ?? 0;
  const lowEnds = await Promise.all(low.map(async (job) => (await outcome(job)).finishedMs ?? 0));
  const before = lowEnds.filter((end) => end < highEnd).length;
  assert.ok(before < 30, `${before} of 60 low jobs ended before the high one`);
});

test('a model that crashes while loading is quarantined, one that fails to load says why; others serve', async () => {
  const of = async (model: string) =>
    JSON.parse((await producer.hget(keys.modelStates, `${model}/${worker.name}`)) ?? '{}') as {
      state: string;
      error?: string;
    };
  // Both are tried again now and then, and load for a moment.
  const becomes = (model: string, state: string) =>
    waitUntil(`${model} is ${state}`, async () => (await of(model)).state === state);
  await becomes('fake', 'ready');
  await becomes('kills-on-load', 'quarantined');
  await becomes('fails-to-load', 'failed');
  assert.equal((await of('fails-to-load')).error, 'told to fail');
});

test('finishes what it has while Redis is away, and goes on when it is back', async () => {
  const jobs = await Promise.all(Array.from({ length: 10 }, (_, i) => submit([`echo ${i} 100`])));
  server.process().kill('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 500));
  await server.restart();
  await waitUntil('producer is back', () => producer.status === 'ready');
  for (const job of jobs) assert.equal((await outcome(job)).status, 'succeeded');
});

test('a large output moves to a blob that is deleted with the job, and reads the same', async () => {
  const text = `echo ${'long'.repeat(2500)}`;
  const job = await submit(Array.from({ length: 6 }, () => text));
  await outcome(job);
  await waitUntil('it moved', async () => (await producer.strlen(keys.finished('default', job.id))) < 2000);
  const record = await readWithBlobs(job);
  const results = record.output as { output: { says: string } }[];
  assert.equal(results.length, 6);
  assert.equal(results[5]?.output.says, 'long'.repeat(2500));
  const due = Number(await producer.zscore(keys.blobs, `default/${job.id}`));
  assert.ok(Math.abs(due - Date.now() - 600_000) < 30_000, `due ${due}`);
});
