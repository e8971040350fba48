/** The runner on a real store; what prepares and what runs rows stands in the tests' own hands. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Redis } from 'ioredis';
import { mergeItem } from '../../models/preparation/merge-item.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { Row } from '../../models/task.ts';
import { BlobStore } from '../../shared/blobs/blob-store.ts';
import type { JobRequest } from '../../shared/jobs/job.ts';
import { type JobRecord, JobStore } from '../../shared/jobs/store/job-store.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { createRegistry } from '../../shared/observability/metrics.ts';
import { headTraceparent, traceIdOf } from '../../shared/observability/trace-context.ts';
import { claimJob, startJob } from '../../shared/testing/claim-job.ts';
import { jobRequest } from '../../shared/testing/job-request.ts';
import { RecordedSpans } from '../../shared/testing/recorded-spans.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { createInferenceMetrics } from '../inference-metrics.ts';
import { OutcomeWriter } from '../outcomes/outcome-writer.ts';
import { JobRunner } from './job-runner.ts';
import type { QueuedRow } from './running-job.ts';

const files = { id: 'm', version: '1' } as ModelFiles;
const row: Row = { tensors: {}, length: 1, shapeKey: 'x', context: null };
const logger = createLogger('test', 'silent');
let server: TestRedis;
let redis: Redis;
let store: JobStore;
let runner: JobRunner;
let registry: ReturnType<typeof createRegistry>;
/** Rows that were handed to the scheduler. */
let rows: QueuedRow[];
let tracing: RecordedSpans;
let prepare: (text: string, signal: AbortSignal) => Promise<Row[]>;

before(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url);
  store = new JobStore(redis);
});
after(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => {
  rows = [];
  tracing = new RecordedSpans();
  prepare = async () => [row];
  registry = createRegistry('worker', 'test');
  const blobs = new BlobStore(mkdtempSync(join(tmpdir(), 'millrace-')));
  runner = new JobRunner({
    store,
    writer: new OutcomeWriter(store, blobs, logger),
    preparer: {
      prepare: (input, _files, _parameters, { signal }) => prepare(input.kind === 'text' ? input.text : '', signal),
      async warm() {},
      merge: mergeItem,
      async close() {},
    },
    metrics: createInferenceMetrics(registry),
    logger,
    tracing,
    enqueue: (more) => rows.push(...more),
  });
});

async function admit(items: number, extra: Partial<JobRequest> = {}, expiresInSeconds?: number): Promise<JobRequest> {
  const job = jobRequest({ items, ...extra });
  const input = Array.from({ length: items }, (_, i) => ({ kind: 'text', text: `${i}` }) as const);
  const expiry = expiresInSeconds === undefined ? {} : { expiresInSeconds };
  await store.admit(job, { input, queueMax: 1e6, tenantMax: 1e6, ...expiry });
  return job;
}
const read = async (job: JobRequest) => (await store.read(job)) as JobRecord;
const queued = (count: number) => waitUntil(`${count} rows wait`, () => rows.length === count);
function succeed(of: QueuedRow): void {
  runner.take(of, { json: '"ok"' }, { computeMs: 1, laneMs: 1, rows: 1 });
}

test('an item that is left when another was set aside as poison is not taken for poison after a restart', async () => {
  const job = await admit(2);
  await startJob(redis, job);
  const problem = { kind: 'item', status: 'failed', index: 0, fragment: '{"title":"Poison"}' } as const;
  for (let death = 0; death < 4; death++) await store.countCrash([job]);
  await store.finish([{ ...job, ...problem }]);
  const run = runner.run(await startJob(redis, job), files); // another worker: the one that had it was killed for other reasons
  await queued(1);
  succeed(rows[0] as QueuedRow);
  await run;
  assert.equal((await read(job)).status, 'succeeded');
});

test('a job that comes back while this worker still has it is run once, and canceled wholly', async () => {
  const job = await admit(1);
  const first = runner.run(await startJob(redis, job), files);
  await queued(1);
  const second = runner.run(await startJob(redis, job), files);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(rows.length, 1, 'its row waits once');
  assert.equal(runner.size, 1);
  runner.drop(`default/${job.id}`);
  await Promise.all([first, second]);
  assert.equal(rows[0]?.item.job.isOver, true);
  assert.equal(runner.size, 0);
});

test('a claim ends with its job though preparation never does', async () => {
  let signal: AbortSignal | undefined;
  prepare = (_text, given) => {
    signal = given;
    return new Promise(() => {});
  };
  const job = await admit(1, { timeoutSeconds: 0.05 });
  await runner.run(await startJob(redis, job), files);
  assert.equal((await read(job)).error?.type, '/problems/run-timeout');
  assert.equal(signal?.aborted, true);
});

/** The text that Prometheus reads. */
const scrape = async (name: string) =>
  (await registry.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`));

test('counts the items that a timeout ends, and how long a job waited once, however often it is claimed', async () => {
  // Time enough for a busy machine to have one result before.
  const job = await admit(3, { timeoutSeconds: 2 });
  await startJob(redis, job); // a worker that was killed
  const run = runner.run(await startJob(redis, job), files);
  await queued(3);
  succeed(rows[0] as QueuedRow);
  await run;
  const items = await scrape('inference_items_total');
  const timedOut = items.find((line) => line.includes('reason="run-timeout"'));
  assert.match(timedOut ?? '', /outcome="failed".* 2$/, items.join('\n'));
  assert.deepEqual(await scrape('inference_queue_wait_seconds_count'), []);
  const first = await admit(1);
  const done = runner.run(await startJob(redis, first), files);
  await queued(4);
  succeed(rows[3] as QueuedRow);
  await done;
  assert.match((await scrape('inference_queue_wait_seconds_count'))[0] ?? '', / 1$/);
});

test('a job of many items is set aside once it was on board of eight deaths of whole workers', async () => {
  const job = await admit(50);
  for (let death = 0; death < 8; death++) {
    await startJob(redis, job);
    await store.countCrash([job]);
  }
  await runner.run(await startJob(redis, job), files);
  assert.equal((await read(job)).error?.type, '/problems/poison-job');
});

test('a result that comes after the end of its job is late, and no outcome', async () => {
  const job = await admit(1);
  const run = runner.run(await startJob(redis, job), files);
  await queued(1);
  await store.finish([{ ...job, kind: 'job', status: 'canceled', fragment: '{}' }]); // nobody told this worker
  succeed(rows[0] as QueuedRow);
  await run;
  assert.match((await scrape('inference_late_results_total'))[0] ?? '', / 1$/);
  assert.deepEqual(await scrape('inference_items_total'), []);
});

test('an expired job counts among the outcomes, and its trace says so', async () => {
  const traceparent = headTraceparent(undefined, 1);
  const job = await admit(1, { traceparent }, 0.001);
  await new Promise((resolve) => setTimeout(resolve, 10));
  const claim = await claimJob(redis, job);
  assert.ok(claim?.state === 'expired');
  await runner.expire(claim);
  const items = await scrape('inference_items_total');
  assert.match(items.find((line) => line.includes('outcome="expired"')) ?? '', / 1$/);
  const [span] = tracing.named('expire');
  assert.deepEqual([span?.traceId, span?.error], [traceIdOf(traceparent), 'expired']);
});

test('results of one job that come one by one are written together with the last', async (t) => {
  const writes: number[] = [];
  const finish = store.finish.bind(store);
  t.mock.method(store, 'finish', (entries: Parameters<typeof finish>[0]) => {
    writes.push(entries.length);
    return finish(entries);
  });
  const job = await admit(3);
  const run = runner.run(await startJob(redis, job), files);
  await queued(3);
  // What lingers waits for 25 ms, which a busy machine may take between two of them.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const each of rows.slice()) {
    succeed(each);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.mock.timers.reset();
  await run;
  assert.deepEqual(writes, [3]);
  assert.equal((await read(job)).counts.succeeded, 3);
});

test('waits with further items while rows of the job hold more than 64 MiB, and goes on when they have a result', async () => {
  const big = { type: 'uint8', dims: [1], data: new Uint8Array(9 * 2 ** 20) } as const;
  prepare = async () => [{ ...row, tensors: { pixels: big } }];
  const job = await admit(30);
  const run = runner.run(await startJob(redis, job), files);
  // Eight are prepared at once; the eighth passes 64 MiB.
  await queued(8);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(rows.length, 8);
  for (let at = 0; at < 30; at++) {
    await waitUntil(`row ${at} waits`, () => rows.length > at);
    succeed(rows[at] as QueuedRow);
  }
  await run;
  assert.equal((await read(job)).counts.succeeded, 30);
});
