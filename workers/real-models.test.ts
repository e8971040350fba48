/** Real models in real lanes: what an item gets through the worker, among others, is what it gets alone. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Redis } from 'ioredis';
import { assetsFolder, skipWithoutAssets } from '../models/parity/assets.ts';
import { findModel, startModel } from '../models/parity/run-model.ts';
import type { ModelFiles } from '../models/repository/model-files.ts';
import { BlobStore } from '../shared/blobs/blob-store.ts';
import { readSettings } from '../shared/config/settings.ts';
import { type ItemResult, isOutcome } from '../shared/jobs/job.ts';
import { decodeOutput } from '../shared/jobs/output-codec.ts';
import { type JobRecord, JobStore } from '../shared/jobs/store/job-store.ts';
import { createLogger } from '../shared/observability/logger.ts';
import { createRegistry } from '../shared/observability/metrics.ts';
import { connectConsumer, connectProducer, untilReady } from '../shared/redis/connection.ts';
import { jobRequest } from '../shared/testing/job-request.ts';
import { startTestRedis, type TestRedis } from '../shared/testing/redis.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { InferenceWorker } from './inference-worker.ts';

const texts = Array.from({ length: 24 }, (_, at) => `${'the mill race carries water '.repeat(1 + (at % 5))}${at}`);

describe('real models behind a worker of one lane', { skip: skipWithoutAssets() }, () => {
  const logger = createLogger('test', 'silent');
  let server: TestRedis;
  let producer: Redis;
  let consumer: Redis;
  let store: JobStore;
  let worker: InferenceWorker;
  let models: { readonly exact: ModelFiles; readonly drifting: ModelFiles; readonly tagger: ModelFiles };

  before(async () => {
    const assets = join(assetsFolder, 'models');
    models = {
      exact: await findModel(assets, 'all-MiniLM-L6-v2', 'fp32'),
      drifting: { ...(await findModel(assets, 'all-MiniLM-L6-v2', 'q8')), id: 'int8' },
      tagger: await findModel(join(import.meta.dirname, '..', 'models', 'zoo'), 'starter-ner-groceries'),
    };
    server = await startTestRedis();
    const blobs = new BlobStore(mkdtempSync(join(tmpdir(), 'millrace-')));
    await blobs.open();
    producer = connectProducer(server.url, logger);
    consumer = connectConsumer(server.url, logger);
    await untilReady(producer, 10_000);
    store = new JobStore(producer, (name) => blobs.readText(name));
    worker = new InferenceWorker({
      device: 'cpu',
      settings: { ...readSettings({ MILLRACE_PREDICTIONS: 'off' }), lanesPerWorker: 1 },
      redis: consumer,
      blobs,
      models: Object.values(models),
      registry: createRegistry('worker', 'test'),
      logger,
    });
    await worker.start();
  });
  after(async () => {
    await worker.stop();
    producer.disconnect();
    consumer.disconnect();
    await server.stop();
  });

  /** One job of these texts; waits for its end. */
  async function run({ id, task }: ModelFiles, input: readonly string[]): Promise<JobRecord> {
    const job = jobRequest({ model: id, task, items: input.length, list: true, retentionSeconds: 600 });
    const stored = input.map((text) => ({ kind: 'text', text }) as const);
    await store.admit(job, { input: stored, queueMax: 1e6, tenantMax: 1e6 });
    const read = async () => (await store.read(job)) as JobRecord;
    await waitUntil(`the job of ${id} ends`, async () => isOutcome((await read()).status), 180_000);
    return await read();
  }
  const outputsOf = (record: JobRecord) =>
    (decodeOutput(record.output) as ItemResult[]).map((item) =>
      item.status === 'succeeded' ? item.output : assert.fail(`an item is ${item.status}`),
    );
  const alone = async (files: ModelFiles, input: readonly string[]) => {
    const model = await startModel(files);
    const outputs: unknown[] = [];
    for (const text of input) outputs.push(await model.answer({ kind: 'text', text }));
    return outputs;
  };
  const farthest = (a: readonly unknown[], b: readonly unknown[]) =>
    Math.max(
      ...a.flatMap((vector, index) =>
        (vector as number[]).map((value, at) => Math.abs(value - ((b[index] as number[])[at] ?? Number.NaN))),
      ),
    );

  it('joins rows of an fp32 model, and each gets its vector to 1e-5', async () => {
    const record = await run(models.exact, texts);
    assert.ok((record.batchRows ?? 0) > 1, `rows shared no call (${record.batchRows})`);
    assert.ok(farthest(outputsOf(record), await alone(models.exact, texts)) < 1e-5);
  });

  it('runs rows of a dynamically quantised model one by one, and each gets exactly its vector', async () => {
    const record = await run(models.drifting, texts);
    assert.equal(record.batchRows, 1);
    // Vectors are shown with 8 decimals.
    assert.ok(farthest(outputsOf(record), await alone(models.drifting, texts)) < 1e-7);
  });

  it('gives a text of many windows the spans that its rows give one by one', async () => {
    const long = 'молоко простоквашино 3.2% 1л 🥛, корм whiskas 85 г, '.repeat(30);
    const record = await run(models.tagger, [long, 'пиво', long]);
    // Scores are rounded to 1e-5, and may be rounded the other way in company.
    const named = (spans: unknown) => (spans as { score: number }[]).map(({ score: _score, ...span }) => span);
    const expected = (await alone(models.tagger, [long])).map(named)[0];
    const outputs = outputsOf(record).map(named);
    assert.ok((expected ?? []).length > 50);
    assert.deepEqual(outputs[0], expected);
    assert.deepEqual(outputs[2], expected);
  });
});
