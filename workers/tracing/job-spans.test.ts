/** What a worker records of jobs, with lanes that do as they are told. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Redis } from 'ioredis';
import { mergeItem } from '../../models/preparation/merge-item.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import { BlobStore } from '../../shared/blobs/blob-store.ts';
import { readSettings } from '../../shared/config/settings.ts';
import type { JobRequest } from '../../shared/jobs/job.ts';
import { JobStore } from '../../shared/jobs/store/job-store.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { createRegistry } from '../../shared/observability/metrics.ts';
import { headTraceparent, parseTraceparent } from '../../shared/observability/trace-context.ts';
import type { Span } from '../../shared/observability/tracing/span.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { connectConsumer, connectProducer } from '../../shared/redis/connection.ts';
import { jobRequest } from '../../shared/testing/job-request.ts';
import { RecordedSpans } from '../../shared/testing/recorded-spans.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { InferenceWorker } from '../inference-worker.ts';
import type { FakeContext } from '../lane/fake-lane.ts';
import type { PreparesItems } from '../preparation/prepare-input.ts';

const model = { id: 'fake', task: 'feature-extraction', version: '7', versionFolder: '/none' } as ModelFiles;
const logger = createLogger('test', 'silent');

/** `does says steps`: rows say what the fake lane does with them. `refuse` fails in preparation. */
const preparer: PreparesItems = {
  async prepare(input) {
    const [does, says = '', ms = '1'] = input.kind === 'text' ? input.text.split(' ') : [];
    if (does === 'refuse') throw new Problem('input-too-long', 'told to refuse');
    const context = { does: does as FakeContext['does'], says, ms: Number(ms) } satisfies FakeContext;
    return [{ tensors: {}, length: 3, shapeKey: 'x', context }];
  },
  async warm() {},
  merge: mergeItem,
  async close() {},
};

describe('the spans of a job in a worker', () => {
  let server: TestRedis;
  let producer: Redis;
  let consumer: Redis;
  let worker: InferenceWorker;
  const tracing = new RecordedSpans();

  before(async () => {
    server = await startTestRedis();
    producer = connectProducer(server.url, logger);
    consumer = connectConsumer(server.url, logger);
    const blobs = new BlobStore(mkdtempSync(join(tmpdir(), 'millrace-')));
    await blobs.open();
    worker = new InferenceWorker({
      device: 'cpu',
      settings: { ...readSettings({}), lanesPerWorker: 1 },
      redis: consumer,
      blobs,
      models: [model, { ...model, id: 'writes' }],
      registry: createRegistry('worker', 'test'),
      logger,
      tracing,
      engine: { laneEntry: join(import.meta.dirname, '../lane/fake-lane.ts'), preparer },
    });
    await worker.start();
  });
  after(async () => {
    await worker.stop();
    producer.disconnect();
    consumer.disconnect();
    await server.stop();
  });
  beforeEach(() => tracing.spans.splice(0));

  async function submit(texts: string[], ratio = 1, of = 'fake'): Promise<JobRequest> {
    const traceparent = headTraceparent(undefined, ratio);
    const job = jobRequest({ model: of, items: texts.length, traceparent });
    const input = texts.map((text) => ({ kind: 'text', text }) as const);
    await new JobStore(producer).admit(job, { input, queueMax: 1e6, tenantMax: 1e6 });
    return job;
  }

  /** The spans of the job's trace once its run is over, and the run itself. */
  async function runOf(job: JobRequest): Promise<{ run: Span; spans: Span[] }> {
    const root = parseTraceparent(job.traceparent);
    const mine = () => tracing.spans.filter(({ traceId }) => traceId === root?.traceId);
    await waitUntil('the run is recorded', () => mine().some(({ name }) => name === 'run'));
    const spans = mine();
    const run = spans.find(({ name }) => name === 'run') as Span;
    const parents = new Set([root?.spanId, ...spans.map(({ spanId }) => spanId)]);
    assert.ok(
      spans.every(({ parentId }) => parents.has(parentId)),
      'no orphan',
    );
    return { run, spans };
  }

  it('are few for a text that takes many calls: one for all of its writing, with what that took', async () => {
    const { run, spans } = await runOf(await submit(['echo a 400'], 1, 'writes'));
    const below = spans.filter(({ parentId }) => parentId === run.spanId).map(({ name }) => name);
    assert.deepEqual(below, ['prepare', 'batch wait', 'compute', 'finish']);
    const writing = tracing.spans.find(({ name }) => name === 'generation');
    assert.ok(Number(writing?.attributes?.['millrace.batch.calls']) > 1);
    const compute = spans.find(({ name }) => name === 'compute');
    assert.deepEqual(compute?.links?.[0]?.spanId, writing?.spanId);
    assert.deepEqual(writing?.links?.[0]?.spanId, compute?.spanId);
  });

  it('tell of a lane that died while it wrote', async () => {
    const { run, spans } = await runOf(await submit(['kill a 9'], 1, 'writes'));
    const computes = spans.filter(({ name }) => name === 'compute');
    assert.deepEqual([computes.length, computes[0]?.error], [4, 'row-lost']);
    assert.equal(run.error, 'poison-job');
  });

  it('are a whole tree, and the engine call has its numbers and a link', async () => {
    const job = await submit(['echo a']);
    const { run, spans } = await runOf(job);
    const below = spans.filter(({ parentId }) => parentId === run.spanId).map(({ name }) => name);
    assert.deepEqual(below, ['prepare', 'batch wait', 'compute', 'finish']);
    assert.equal(run.attributes?.['millrace.outcome'], 'succeeded');
    const compute = spans.find(({ name }) => name === 'compute');
    const [call] = tracing.named('engine call');
    assert.ok(call && compute);
    assert.deepEqual(compute.links, [{ traceId: call.traceId, spanId: call.spanId }]);
    assert.deepEqual(
      call.links?.map(({ traceId, spanId }) => [traceId, spanId]),
      [[compute.traceId, compute.spanId]],
    );
    assert.equal(call.attributes?.['millrace.batch.units_padded'], 3);
    assert.equal(call.attributes?.['millrace.model_version'], '7');
  });

  it('are nothing for a job that was not chosen', async () => {
    const unseen = await submit(['echo a'], 0);
    await waitUntil(
      'it has ended',
      async () => ((await new JobStore(producer).read(unseen)) as { status: string }).status === 'succeeded',
    );
    assert.deepEqual(tracing.spans, []);
  });

  it('name each failed item; the run fails only when none is left', async () => {
    const { run } = await runOf(await submit(['echo a', 'refuse', 'bad b']));
    assert.equal(run.error, undefined);
    const problems = run.events?.map(({ attributes }) => attributes?.['millrace.problem']);
    assert.deepEqual(problems, ['input-too-long', 'inference-failed']);
    const failed = await runOf(await submit(['refuse']));
    assert.equal(failed.run.error, 'input-too-long');
    assert.equal(failed.spans.find(({ name }) => name === 'prepare')?.error, 'input-too-long');
  });

  it('show a batch that the model refused, and the halves that followed', async () => {
    const { spans } = await runOf(await submit(['echo a', 'throw', 'echo b', 'echo c']));
    const errors = spans.filter(({ name }) => name === 'compute').map(({ error }) => error);
    assert.ok(errors.includes('refused-by-model') && errors.includes(undefined), String(errors));
    assert.ok(tracing.named('engine call').some(({ error }) => error === 'refused-by-model'));
  });

  it('show each lane that died under a poison job', async () => {
    const { run, spans } = await runOf(await submit(['kill']));
    assert.equal(run.error, 'poison-job');
    const computes = spans.filter(({ name }) => name === 'compute');
    assert.deepEqual(
      computes.map(({ error }) => error),
      Array(4).fill('lane-died'),
    );
    assert.equal(run.events?.filter(({ name }) => name === 'lane died').length, 4);
    const waits = spans.filter(({ name }) => name === 'batch wait');
    for (const [at, { endMs }] of computes.slice(0, -1).entries())
      assert.ok((waits[at + 1]?.startMs ?? 0) >= endMs - 1, 'what a call took is no wait for the next');
    const calls = tracing.named('engine call');
    assert.match(String(calls[0]?.attributes?.['millrace.reason']), /SIGKILL/);
    assert.equal(calls.at(-1)?.attributes?.['millrace.suspect'], true);
  });
});
