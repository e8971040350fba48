import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimJob, startJob } from '../../testing/claim-job.ts';
import { jobRequest } from '../../testing/job-request.ts';
import { openTestStore } from '../../testing/test-store.ts';
import { waitUntil } from '../../testing/wait-until.ts';
import type { JobRequest } from '../job.ts';
import { keys } from '../keys.ts';
import { encodeOutput } from '../output-codec.ts';
import { viewJob } from '../view-job.ts';
import { type JobRecord, parseFinished } from './record.ts';
import type { AdmitOptions, Finish } from './words.ts';

const { redis, store } = await openTestStore();

const bounds = { queueMax: 1000, tenantMax: 1000 };
async function admit(job: JobRequest, options: Partial<AdmitOptions> = {}) {
  return await store.admit(job, { input: [{ kind: 'text', text: 'hi' }], ...bounds, ...options });
}
const result = (job: JobRequest, extra: Partial<Finish> = {}): Finish => ({
  tenant: job.tenant,
  id: job.id,
  kind: 'item',
  status: 'succeeded',
  fragment: '{"x":1}',
  prepareSeconds: 0.25,
  computeSeconds: 0.5,
  batchRows: 4,
  ...extra,
});
async function read(job: JobRequest): Promise<JobRecord> {
  const record = await store.read(job);
  assert.ok(record && record !== 'gone');
  return record;
}

test('a job goes queued, processing, succeeded, and its record tells all of it', async () => {
  const job = jobRequest({ metadata: { a: 'b' } });
  assert.equal((await admit(job)).verdict, 'accepted');
  assert.equal((await read(job)).status, 'queued');
  assert.equal((await startJob(redis, job)).version, '1');
  assert.equal((await read(job)).status, 'processing');
  assert.deepEqual(await store.finish([result(job, { fragment: encodeOutput([new Float32Array([0.5, -1])]) })]), [
    'job-ended',
  ]);
  const record = await read(job);
  const view = viewJob(record, { origin: '' });
  assert.equal(view.status, 'succeeded');
  assert.deepEqual(view.output, [[0.5, -1]]);
  assert.deepEqual(view.metadata, { a: 'b' });
  assert.deepEqual(view.counts, { total: 1, succeeded: 1, failed: 0 });
  assert.equal(view.metrics.compute_seconds, 0.5);
  assert.equal(view.metrics.batch_rows, 4);
  assert.deepEqual(
    record.events.map((event) => [event.seq, event.name]),
    [
      [1, 'queued'],
      [2, 'processing'],
      [3, 'succeeded'],
    ],
  );
  assert.equal(await redis.hget(keys.live, 'q:m.normal'), '0');
});

test('the first outcome wins: later ones are told that they are late and change nothing', async () => {
  const job = jobRequest();
  await admit(job);
  await startJob(redis, job);
  await startJob(redis, job); // a second worker, after the first was taken for dead
  const replies = await store.finish([result(job), result(job, { fragment: '{"x":2}' })]);
  assert.deepEqual(replies, ['job-ended', 'late']);
  assert.deepEqual(await store.finish([result(job, { kind: 'job', status: 'canceled', fragment: '{}' })]), ['late']);
  const record = await read(job);
  assert.deepEqual(record.output, { x: 1 });
  assert.equal(record.attempts, 2);
  assert.equal(await claimJob(redis, job), null);
});

test('the same idempotency key gives the same job while it runs and after it ended; another body is a conflict', async () => {
  const idempotency = { keyHash: 'k1', bodyHash: 'b1' };
  const job = jobRequest();
  await admit(job, { idempotency });
  assert.deepEqual(await admit(jobRequest(), { idempotency }), { verdict: 'existing', id: job.id });
  await startJob(redis, job);
  await store.finish([result(job)]);
  assert.deepEqual(await admit(jobRequest(), { idempotency }), { verdict: 'existing', id: job.id });
  assert.equal((await admit(jobRequest(), { idempotency: { keyHash: 'k1', bodyHash: 'b2' } })).verdict, 'conflict');
  assert.equal((await admit(jobRequest({ tenant: 'other' }), { idempotency })).verdict, 'accepted');
});

test('one bad item of three fails alone, items are stored once, and order is kept', async () => {
  const job = jobRequest({ list: true, items: 3 });
  await admit(job, { input: ['a', 'b', 'c'].map((text) => ({ kind: 'text', text })) });
  await startJob(redis, job);
  assert.deepEqual(await store.finish([result(job, { index: 2, fragment: '"c"' })]), ['item-stored']);
  assert.deepEqual(await store.finish([result(job, { index: 2, fragment: '"again"' })]), ['item-known']);
  assert.deepEqual((await startJob(redis, job)).finishedItems, new Set([2]));
  const bad = result(job, { index: 1, status: 'failed', fragment: '{"title":"Corrupt image"}' });
  assert.deepEqual(await store.finish([bad, result(job, { index: 0, fragment: '"a"' })]), ['item-stored', 'job-ended']);
  const record = await read(job);
  assert.equal(record.status, 'succeeded');
  assert.deepEqual(record.output, [
    { index: 0, status: 'succeeded', output: 'a' },
    { index: 1, status: 'failed', error: { title: 'Corrupt image' } },
    { index: 2, status: 'succeeded', output: 'c' },
  ]);
  assert.deepEqual(record.counts, { total: 3, succeeded: 2, failed: 1 });
  assert.deepEqual(
    record.events.map((e) => e.name),
    ['queued', 'processing', 'progress', 'progress', 'succeeded'],
  );
});

test('a job whose items all failed has failed, with the first problem', async () => {
  const job = jobRequest({ list: true, items: 2 });
  await admit(job);
  await startJob(redis, job);
  await store.finish(
    [0, 1].map((index) => result(job, { index, status: 'failed', fragment: `{"title":"p${index}"}` })),
  );
  const record = await read(job);
  assert.equal(record.status, 'failed');
  assert.deepEqual(record.error, { title: 'p0' });
});

test('a job that waited past its start-by is not started, and a canceled one keeps the items it had', async () => {
  const late = jobRequest();
  await admit(late, { expiresInSeconds: 0.001 });
  await new Promise((resolve) => setTimeout(resolve, 10));
  const ref = { tenant: late.tenant, id: late.id };
  assert.deepEqual(await claimJob(redis, late), { state: 'expired', ref, request: late });
  const job = jobRequest({ list: true, items: 2 });
  await admit(job);
  await startJob(redis, job);
  await store.finish([result(job, { index: 0, fragment: '"a"' })]);
  await store.finish([result(job, { kind: 'job', status: 'canceled', fragment: '{"title":"Canceled"}' })]);
  assert.deepEqual((await read(job)).output, [
    { index: 0, status: 'succeeded', output: 'a' },
    { index: 1, status: 'canceled' },
  ]);
});

test('items without a result when their job fails carry its problem', async () => {
  const job = jobRequest({ list: true, items: 2 });
  await admit(job);
  await startJob(redis, job);
  await store.finish([result(job, { index: 0, fragment: '"a"' })]);
  await store.finish([result(job, { kind: 'job', status: 'failed', fragment: '{"title":"Timeout"}' })]);
  assert.deepEqual((await read(job)).output, [
    { index: 0, status: 'succeeded', output: 'a' },
    { index: 1, status: 'failed', error: { title: 'Timeout' } },
  ]);
});

test('bounds per queue and per tenant refuse without leaving a trace', async () => {
  const job = jobRequest({ model: 'full', tenant: 'small' });
  assert.equal((await admit(job, { queueMax: 0, tenantMax: 9 })).verdict, 'queue-full');
  assert.equal((await admit(job, { queueMax: 9, tenantMax: 0 })).verdict, 'tenant-full');
  assert.equal(await store.read(job), null);
});

test('waiters and webhooks hear of each change in the same step', async () => {
  const subscriber = redis.duplicate();
  const heard: string[] = [];
  subscriber.on('message', (_channel, message: string) => heard.push(message));
  await subscriber.subscribe(keys.replies('api1'));
  const job = jobRequest({ webhook: { url: 'https://x.example', events: ['succeeded'] } });
  await admit(job);
  await store.read(job, keys.replies('api1'));
  await startJob(redis, job);
  await store.finish([result(job)]);
  await waitUntil('both are heard', () => heard.length >= 2);
  const name = `default/${job.id}`;
  const document = await redis.get(keys.finished('default', job.id));
  assert.deepEqual(heard, [`${name} 2 processing`, document]);
  const outbox = (await redis.xrange(keys.outbox, '-', '+')) as [string, string[]][];
  assert.deepEqual(outbox.at(-1)?.[1], ['t', 'default', 'i', job.id, 'n', '3', 's', 'succeeded']);
  subscriber.disconnect();
});

test('who waits for the end hears of that alone, and of each event once it asks for all, never twice', async () => {
  const subscriber = redis.duplicate();
  const heard: string[] = [];
  subscriber.on('message', (_channel, message: string) => heard.push(shortly(message)));
  const channel = keys.replies('api2');
  await subscriber.subscribe(channel);
  const [patient, curious] = [jobRequest(), jobRequest()];
  for (const job of [patient, curious]) await admit(job, { replyChannel: channel });
  await store.read(curious, channel);
  for (const job of [patient, curious]) await startJob(redis, job);
  await store.finish([result(patient), result(curious)]);
  await waitUntil('the last is heard', () => heard.includes(`${curious.id} succeeded`));
  assert.deepEqual(heard, [`default/${curious.id} 2 processing`, `${patient.id} succeeded`, `${curious.id} succeeded`]);
  subscriber.disconnect();
});

test('an admission that may linger goes with the next one that may not', async () => {
  const first = admit(jobRequest(), { lingerMs: 60_000 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const both = await Promise.all([first, admit(jobRequest())]);
  // One script has one time.
  assert.equal(both[0].createdMs, both[1].createdMs);
});

test('after retention the id reads as gone, after erasure as unknown, for another tenant always as unknown', async () => {
  const job = jobRequest({ retentionSeconds: 1 });
  await admit(job);
  assert.equal(await store.erase(job, null), false);
  await startJob(redis, job);
  await store.finish([result(job)]);
  assert.equal(await store.read({ ...job, tenant: 'other' }), null);
  await redis.pexpire(keys.finished('default', job.id), 1);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(await store.read(job), 'gone');
  assert.equal(await store.erase(job, null), true);
  assert.equal(await store.read(job), null);
});

test('lists newest first, and counts crashes of live jobs only', async () => {
  const tenant = 'lister';
  const jobs = [jobRequest({ tenant }), jobRequest({ tenant }), jobRequest({ tenant })];
  for (const job of jobs) await admit(job);
  const listed = await store.listIds(tenant, Date.now() + 60_000, 0, 0, 2);
  assert.equal(listed.length, 2);
  assert.ok((listed[0]?.createdMs ?? 0) >= (listed[1]?.createdMs ?? 0));
  assert.deepEqual(await store.countCrash([jobs[0] as JobRequest, jobRequest()]), [1, 0]);
});

test('an admission that the client sends again after a lost connection changes nothing, even once the job ended', async () => {
  const job = jobRequest({ tenant: 'resend', model: 'resend' });
  const first = await admit(job);
  assert.deepEqual(await admit(job), first);
  assert.equal(await store.liveCount('resend', 'normal'), 1);
  await startJob(redis, job);
  await store.finish([result(job)]);
  assert.equal((await admit(job)).verdict, 'accepted');
  assert.equal((await read(job)).status, 'succeeded');
  assert.equal(await store.liveCount('resend', 'normal'), 0);
});

test('an expiry that comes after the start changes nothing', async () => {
  const expiry = { kind: 'unstarted', status: 'expired', fragment: '{}' } as const;
  const waiting = jobRequest();
  const started = jobRequest();
  await admit(waiting);
  await admit(started);
  await startJob(redis, started);
  assert.deepEqual(await store.finish([result(started, expiry), result(waiting, expiry)]), ['late', 'job-ended']);
  assert.equal((await read(started)).status, 'processing');
  assert.equal((await read(waiting)).status, 'expired');
});

test('tells which job an idempotency key belongs to without admitting anything', async () => {
  const idempotency = { keyHash: 'find', bodyHash: 'b1' };
  assert.equal(await store.findByKey('default', idempotency), null);
  const job = jobRequest();
  await admit(job, { idempotency });
  assert.deepEqual(await store.findByKey('default', idempotency), { id: job.id, sameBody: true });
  assert.deepEqual(await store.findByKey('default', { ...idempotency, bodyHash: 'b2' }), {
    id: job.id,
    sameBody: false,
  });
});

test('an outcome that a webhook wants outlives its retention until delivery has read it', async () => {
  const told = jobRequest({ retentionSeconds: 5, webhook: { url: 'https://x.example', events: ['succeeded'] } });
  const untold = jobRequest({ retentionSeconds: 5, webhook: { url: 'https://x.example', events: ['failed'] } });
  for (const job of [told, untold]) {
    await admit(job);
    await startJob(redis, job);
    await store.finish([result(job)]);
  }
  assert.ok((await redis.ttl(keys.finished('default', told.id))) > 600_000);
  assert.ok((await redis.ttl(keys.finished('default', untold.id))) <= 5);
});

test('keeps the newest ten thousand dead letters', async () => {
  const old = Array.from({ length: 10_000 }, (_, i) => [i, `default/old${i}`]).flat();
  await redis.zadd(keys.dead, ...old);
  const job = jobRequest();
  await admit(job);
  await store.finish([result(job, { status: 'failed', deadLetter: true })]);
  assert.equal(await redis.zcard(keys.dead), 10_000);
  assert.deepEqual(await redis.zrevrange(keys.dead, 0, 0), [`default/${job.id}`]);
});

test('a record of a release too far away is not started, and left as it is', async () => {
  const job = jobRequest();
  await admit(job);
  await redis.hset(keys.job(job.tenant, job.id), 'v', 3);
  const before = await redis.hgetall(keys.job(job.tenant, job.id));
  assert.equal((await claimJob(redis, job))?.state, 'unsupported');
  assert.deepEqual(await redis.hgetall(keys.job(job.tenant, job.id)), before);
});

/** A finished document by its job and status, and anything else as it is. */
function shortly(message: string): string {
  if (!message.startsWith('{')) return message;
  const { request, status } = parseFinished(message);
  return `${request.id} ${status}`;
}
