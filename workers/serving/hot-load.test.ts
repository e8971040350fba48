/** A whole worker whose models change under it: real Redis, BullMQ and lane processes, a fake engine. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Redis } from 'ioredis';
import { mergeItem } from '../../models/preparation/merge-item.ts';
import { modelFiles } from '../../models/testing/model-files.ts';
import { BlobStore } from '../../shared/blobs/blob-store.ts';
import { readSettings } from '../../shared/config/settings.ts';
import { isOutcome, type JobRequest } from '../../shared/jobs/job.ts';
import { keys } from '../../shared/jobs/keys.ts';
import type { ModelEntry } from '../../shared/jobs/model-entry.ts';
import { type JobRecord, JobStore } from '../../shared/jobs/store/job-store.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { createRegistry } from '../../shared/observability/metrics.ts';
import { connectConsumer, connectProducer } from '../../shared/redis/connection.ts';
import { jobRequest } from '../../shared/testing/job-request.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { InferenceWorker } from '../inference-worker.ts';
import type { FakeContext } from '../lane/fake-lane.ts';

const logger = createLogger('test', 'silent');
const one = modelFiles({ id: 'ner', version: '1', revision: 'a' });
let server: TestRedis;
let producer: Redis;
let consumer: Redis;
let store: JobStore;
const registry = createRegistry('worker', 'test');
let worker: InferenceWorker;
let looks = 0;

before(async () => {
  server = await startTestRedis();
  producer = connectProducer(server.url, logger);
  consumer = connectConsumer(server.url, logger);
  await waitUntil('producer is ready', () => producer.status === 'ready');
  const blobs = new BlobStore(mkdtempSync(join(tmpdir(), 'millrace-')));
  await blobs.open();
  store = new JobStore(producer);
  worker = new InferenceWorker({
    device: 'cpu',
    settings: { ...readSettings({ MILLRACE_PREDICTIONS: 'off' }), lanesPerWorker: 2 },
    redis: consumer,
    blobs,
    models: [one],
    look: async () => void looks++,
    registry,
    logger,
    engine: {
      laneEntry: join(import.meta.dirname, '../lane/fake-lane.ts'),
      // No test waits for it.
      retryMs: 600_000,
      preparer: {
        async prepare(input) {
          assert.ok(input.kind === 'text');
          const context = { does: 'echo', says: 'done', ms: Number(input.text) } satisfies FakeContext;
          return [{ tensors: {}, length: 1, shapeKey: 'x', context }];
        },
        async warm() {},
        merge: mergeItem,
        async close() {},
      },
    },
  });
  await worker.start();
});
after(async () => {
  await worker.stop();
  producer.disconnect();
  consumer.disconnect();
  await server.stop();
});

/** A job whose call takes so many ms. */
async function submit(ms: number, extra: Partial<JobRequest> = {}): Promise<JobRequest> {
  const job = jobRequest({ model: 'ner', items: 1, retentionSeconds: 600, ...extra });
  await store.admit(job, { input: [{ kind: 'text', text: String(ms) }], queueMax: 1e6, tenantMax: 1e6 });
  return job;
}

async function read(job: JobRequest): Promise<JobRecord> {
  const record = await store.read(job);
  assert.ok(record && record !== 'gone');
  return record;
}

async function outcome(job: JobRequest): Promise<JobRecord> {
  await waitUntil('the job ends', async () => isOutcome((await read(job)).status));
  return await read(job);
}

const versionOf = async (job: JobRequest) => (await outcome(job)).modelVersion;
const entry = async () => {
  const json = await producer.hget(keys.modelStates, `ner/${worker.name}`);
  return json === null ? null : (JSON.parse(json) as ModelEntry);
};
const untilReady = (version: string) =>
  waitUntil(`version ${version} serves`, async () => {
    const said = await entry();
    return said?.state === 'ready' && said.version === version && said.versions.every(({ current }) => current);
  });

test('a new version takes over without losing a job, and jobs under way end with the old one', async () => {
  await untilReady('1');
  const slow = await submit(4000);
  await waitUntil('it runs', async () => (await read(slow)).status === 'processing');
  await worker.update({ models: [modelFiles({ ...one, version: '2' })], broken: [] });
  await waitUntil('version 2 serves', async () => (await entry())?.version === '2');
  assert.equal(await versionOf(await submit(1)), '2');
  assert.equal(await versionOf(slow), '1');
  await untilReady('2');
});

test('a version that can not be loaded, and a folder that can not be read, leave what serves', async () => {
  const two = modelFiles({ ...one, version: '2' });
  await worker.update({ models: [modelFiles({ ...one, version: '3', revision: 'fails' })], broken: [] });
  await waitUntil('it is told', async () => /^version 3: told to fail/.test((await entry())?.error ?? ''));
  assert.equal((await entry())?.state, 'ready');
  const told = (await entry())?.versions.map(({ version, state, current }) => [version, state, current]);
  assert.deepEqual(told, [
    ['3', 'failed', true],
    ['2', 'ready', false],
  ]);
  assert.equal(await versionOf(await submit(1)), '2');
  await worker.update({ models: [], broken: [{ id: 'ner', folder: '/x', reason: 'not YAML', fix: null }] });
  await waitUntil('it is told', async () => /^not YAML/.test((await entry())?.error ?? ''));
  assert.equal(await versionOf(await submit(1)), '2');
  await worker.update({ models: [two], broken: [] });
  await untilReady('2');
  assert.equal((await entry())?.error, null);
});

test('several versions serve side by side, and a job gets the one that it names', async () => {
  const both = [modelFiles({ ...one, version: '2' }), one];
  await worker.update({ models: both, broken: [] });
  await waitUntil(
    'both serve',
    async () => (await entry())?.versions.filter(({ state }) => state === 'ready').length === 2,
  );
  const [free, pinned] = [await submit(1), await submit(1, { modelVersion: '1' })];
  assert.deepEqual([await versionOf(free), await versionOf(pinned)], ['2', '1']);
  const early = await submit(1, { modelVersion: '3' });
  await worker.update({ models: [modelFiles({ ...one, version: '3' }), ...both], broken: [] });
  assert.equal(await versionOf(early), '3', 'it waited until its version was here');
  await worker.update({ models: [modelFiles({ ...one, version: '2' })], broken: [] });
  await untilReady('2');
});

test('an unloaded model leaves the lanes; its jobs wait in the queue until it is loaded', async () => {
  const slow = await submit(4000);
  await waitUntil('it runs', async () => (await read(slow)).status === 'processing');
  await producer.hset(keys.unloadedModels, 'ner', 'now');
  const before = looks;
  assert.match(await registry.metrics(), /^inference_model_memory_bytes\{model="ner"/m);
  await producer.publish(keys.control, 'models');
  await waitUntil('it closes', async () => (await entry())?.state === 'unloading');
  assert.equal((await outcome(slow)).status, 'succeeded', 'what was claimed runs to its end');
  await waitUntil('nothing of it is left', async () => (await entry()) === null);
  assert.doesNotMatch(await registry.metrics(), /^inference_model_(memory_bytes|load_seconds|ready)\{model="ner"/m);
  assert.equal(looks, before + 1);
  const waiting = await submit(1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal((await read(waiting)).status, 'queued');
  await producer.hdel(keys.unloadedModels, 'ner');
  // No message: the worker looks by itself.
  assert.equal((await outcome(waiting)).status, 'succeeded');
});

test('`load` tries at once what failed, instead of waiting for its turn', async () => {
  const failing = modelFiles({ id: 'fails-at-first' });
  await worker.update({ models: [modelFiles({ ...one, version: '2' }), failing], broken: [] });
  const state = async () => {
    const json = await producer.hget(keys.modelStates, `fails-at-first/${worker.name}`);
    return json && (JSON.parse(json) as ModelEntry).state;
  };
  await waitUntil('it failed', async () => (await state()) === 'failed');
  await producer.publish(keys.control, 'models fails-at-first');
  // Its turn comes in ten minutes.
  await waitUntil('it is ready', async () => (await state()) === 'ready');
});
