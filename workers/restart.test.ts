/** What a worker knows after a restart: real Redis, BullMQ and lane processes, a fake engine whose calls take 150 ms. */
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
import { isOutcome } from '../shared/jobs/job.ts';
import { JobStore } from '../shared/jobs/store/job-store.ts';
import { createLogger } from '../shared/observability/logger.ts';
import { createRegistry } from '../shared/observability/metrics.ts';
import { connectConsumer, connectProducer } from '../shared/redis/connection.ts';
import { jobRequest } from '../shared/testing/job-request.ts';
import { startTestRedis, type TestRedis } from '../shared/testing/redis.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { InferenceWorker } from './inference-worker.ts';
import type { FakeContext } from './lane/fake-lane.ts';
import { CostFile } from './scheduling/warm-start/cost-file.ts';
import { describeHardware } from './scheduling/warm-start/hardware.ts';

const logger = createLogger('test', 'silent');
const rowMs = 150;
let server: TestRedis;
let producer: Redis;
let blobs: BlobStore;
let dataDir: string;

before(async () => {
  server = await startTestRedis();
  producer = connectProducer(server.url, logger);
  await waitUntil('producer is ready', () => producer.status === 'ready');
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-'));
  blobs = new BlobStore(dataDir);
  await blobs.open();
});
after(async () => {
  producer.disconnect();
  await server.stop();
});

/** A worker's life of so many jobs, one after the other; measured over predicted seconds of its calls. */
async function live(jobs: number): Promise<number> {
  const redis = connectConsumer(server.url, logger);
  const registry = createRegistry('worker', 'test');
  const worker = new InferenceWorker({
    device: 'cpu',
    settings: { ...readSettings({ MILLRACE_PREDICTIONS: 'off' }), lanesPerWorker: 1 },
    redis,
    blobs,
    models: [modelFiles({ id: 'fake' })],
    registry,
    logger,
    costs: await CostFile.open(dataDir, describeHardware('cpu', 1, 1), logger),
    engine: {
      laneEntry: join(import.meta.dirname, 'lane/fake-lane.ts'),
      preparer: {
        async prepare() {
          const context = { does: 'echo', says: 'done', ms: rowMs } satisfies FakeContext;
          return [{ tensors: {}, length: 1, shapeKey: 'x', context }];
        },
        async warm() {},
        merge: mergeItem,
        async close() {},
      },
    },
  });
  await worker.start();
  const store = new JobStore(producer);
  for (let i = 0; i < jobs; i++) {
    const job = jobRequest({ model: 'fake', items: 1, retentionSeconds: 600 });
    await store.admit(job, { input: [{ kind: 'text', text: 'x' }], queueMax: 1e6, tenantMax: 1e6 });
    await waitUntil(
      'the job ends',
      async () => {
        const record = await store.read(job);
        return record !== null && record !== 'gone' && isOutcome(record.status);
      },
      20_000,
    );
  }
  const text = await registry.metrics();
  const seconds = (kind: string) =>
    Number(new RegExp(`inference_call_seconds_total\\{[^}]*kind="${kind}"[^}]*\\} (\\S+)`).exec(text)?.[1]);
  await worker.stop();
  redis.disconnect();
  return seconds('measured') / seconds('predicted');
}

test('predicts the first call after a restart from what was learned before it', async () => {
  const first = await live(1);
  assert.ok(first > 5, `nothing was known, and a call of ${rowMs} ms was taken for 10: ${first}`);
  await live(4);
  const ratio = await live(1);
  assert.ok(ratio > 0.6 && ratio < 1.8, `measured over predicted: ${ratio}`);
});
