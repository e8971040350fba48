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
import { isOutcome, type JobRequest } from '../shared/jobs/job.ts';
import { keys } from '../shared/jobs/keys.ts';
import { type JobRecord, JobStore } from '../shared/jobs/store/job-store.ts';
import { createLogger } from '../shared/observability/logger.ts';
import { createRegistry } from '../shared/observability/metrics.ts';
import { connectConsumer, connectProducer } from '../shared/redis/connection.ts';
import { jobRequest } from '../shared/testing/job-request.ts';
import { startTestRedis, type TestRedis } from '../shared/testing/redis.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { InferenceWorker } from './inference-worker.ts';
import type { FakeContext } from './lane/fake-lane.ts';
import type { PreparesItems } from './preparation/prepare-input.ts';

const logger = createLogger('test', 'silent');
let server: TestRedis;
let producer: Redis;
let consumer: Redis;
let store: JobStore;
let worker: InferenceWorker;
const registry = createRegistry('worker', 'test');

/** `does says steps`. */
const preparer: PreparesItems = {
  async prepare(input) {
    assert.ok(input.kind === 'text');
    const [does, says = '', ms] = input.text.split(' ');
    const context = { does: does as FakeContext['does'], says, ms: Number(ms ?? 1) } satisfies FakeContext;
    return [{ tensors: {}, length: 1, shapeKey: 'x', context }];
  },
  async warm() {},
  merge: mergeItem,
  async close() {},
};

before(async () => {
  server = await startTestRedis();
  const blobs = new BlobStore(mkdtempSync(join(tmpdir(), 'millrace-')));
  await blobs.open();
  producer = connectProducer(server.url, logger);
  await waitUntil('producer is ready', () => producer.status === 'ready');
  store = new JobStore(producer);
  consumer = connectConsumer(server.url, logger);
  worker = new InferenceWorker({
    device: 'cpu',
    // One lane: who goes first can be told from the order of results.
    settings: { ...readSettings({ MILLRACE_PREDICTIONS: 'off' }), lanesPerWorker: 1 },
    redis: consumer,
    blobs,
    models: ['writes', 'writes-together', 'calls'].map((id) => modelFiles({ id })),
    registry,
    logger,
    engine: { laneEntry: join(import.meta.dirname, 'lane/fake-lane.ts'), preparer },
  });
  await worker.start();
});
after(async () => {
  await worker.stop();
  producer.disconnect();
  consumer.disconnect();
  await server.stop();
});

async function submit(texts: string[], extra: Partial<JobRequest> = {}): Promise<JobRequest> {
  const job = jobRequest({ model: 'writes', items: texts.length, retentionSeconds: 600, ...extra });
  await store.admit(job, { input: texts.map((text) => ({ kind: 'text', text })), queueMax: 1e6, tenantMax: 1e6 });
  return job;
}

async function outcome(job: JobRequest): Promise<JobRecord> {
  let record: JobRecord | 'gone' | null = null;
  const read = async () => {
    record = await store.read(job);
    return record !== null && record !== 'gone' && isOutcome(record.status);
  };
  await waitUntil(`job ${job.id} ends`, read);
  return record as unknown as JobRecord;
}

/** As the API does. Of one that has ended it changes nothing. */
async function cancel(job: JobRequest): Promise<void> {
  await store.finish([{ ...job, kind: 'job', status: 'canceled', fragment: '{}' }]);
  await producer.publish(keys.control, `cancel default/${job.id}`);
}

const says = (record: JobRecord) => (record.output as { says: string } | undefined)?.says;
const processing = (job: JobRequest) =>
  waitUntil('it is written', async () => ((await store.read(job)) as JobRecord).status === 'processing');
const counted = async (name: string, labels: object) => {
  const metric = (await registry.getMetricsAsJSON()).find((each) => each.name === name);
  const own = metric?.values.filter((value) =>
    Object.entries(labels).every(([key, label]) => value.labels[key] === label),
  );
  return own?.reduce((sum, { value }) => sum + value, 0) ?? 0;
};

for (const model of ['writes', 'writes-together']) {
  test(`rows of ${model} are written beside each other, and end each at its own time`, async () => {
    const jobs = await Promise.all(
      [120, 10, 60, 30, 5, 90].map((steps) => submit([`echo ${steps} ${steps}`], { model })),
    );
    const records = await Promise.all(jobs.map(outcome));
    assert.deepEqual(records.map(says), ['120', '10', '60', '30', '5', '90']);
    assert.ok(records.some(({ output }) => (output as { rows: number }).rows > 1));
  });

  test(`a row of ${model} that kills its lane is set aside; those that were written beside it end well`, async () => {
    const innocents = await Promise.all([40, 50, 60].map((steps) => submit([`echo ok ${steps}`], { model })));
    const poison = await submit(['kill it 50'], { model });
    assert.equal((await outcome(poison)).error?.type, '/problems/poison-job');
    for (const job of innocents) assert.equal(says(await outcome(job)), 'ok');
    await waitUntil('no call is noted', async () => (await producer.hlen(keys.calls)) === 0);
  });

  test(`a row of ${model} whose step throws fails alone`, async () => {
    const innocents = await Promise.all([40, 50].map((steps) => submit([`echo ok ${steps}`], { model })));
    const record = await outcome(await submit(['throw it 50'], { model }));
    assert.equal(record.error?.type, '/problems/inference-failed');
    for (const job of innocents) assert.equal(says(await outcome(job)), 'ok');
  });

  test(`a high row of ${model} overtakes bulk rows that are being written`, async () => {
    const bulk = await Promise.all(
      Array.from({ length: 12 }, () => submit(['echo bulk 30000'], { model, priority: 'bulk' })),
    );
    await processing(bulk[3] as JobRequest);
    const high = await outcome(await submit(['echo high 5'], { model, priority: 'high' }));
    assert.equal(says(high), 'high');
    for (const job of bulk) await cancel(job);
    for (const job of bulk) assert.equal((await outcome(job)).status, 'canceled', 'a bulk row ended before it');
  });
}

test('a bulk row that lost its place to a high one is written again, and ends well', async () => {
  const before = await counted('inference_evictions_total', { model: 'writes', reason: 'evicted' });
  const bulk = await Promise.all(Array.from({ length: 4 }, () => submit(['echo bulk 2000'], { priority: 'bulk' })));
  await waitUntil('no place is free', async () => (await counted('inference_live_rows', { model: 'writes' })) === 4);
  await submit(['echo high 200'], { priority: 'high' });
  for (const job of bulk) assert.equal(says(await outcome(job)), 'bulk');
  assert.ok((await counted('inference_evictions_total', { model: 'writes', reason: 'evicted' })) > before);
});

test('calls of other models run between the calls of a long text', async () => {
  const long = await submit(['echo long 30000']);
  await processing(long);
  const others = await Promise.all(Array.from({ length: 5 }, () => submit(['echo short'], { model: 'calls' })));
  for (const job of others) assert.equal(says(await outcome(job)), 'short');
  await cancel(long);
  assert.equal((await outcome(long)).status, 'canceled');
});

test('a call that kills the lane does not make suspects of the rows that are being written there', async () => {
  const suspects = () => counted('inference_suspect_rows_total', { model: 'writes' });
  const before = await suspects();
  const long = await submit(['echo long 600']);
  await processing(long);
  const poison = await submit(['kill it'], { model: 'calls' });
  assert.equal((await outcome(poison)).error?.type, '/problems/poison-job');
  assert.equal(says(await outcome(long)), 'long');
  assert.equal(await suspects(), before);
});

test('a row whose job is canceled gives its place up', async () => {
  const long = await Promise.all(Array.from({ length: 4 }, () => submit(['echo long 30000'])));
  await Promise.all(long.map(processing));
  const next = await submit(['echo next 5']);
  for (const job of long) await cancel(job);
  assert.equal(says(await outcome(next)), 'next');
  await waitUntil('nothing is written', async () => (await counted('inference_live_rows', {})) === 0);
  assert.ok((await counted('inference_tokens_total', { model: 'writes' })) > 0);
});
