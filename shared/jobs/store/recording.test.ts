/** What the log writer is told of jobs that ended or were erased, by the same scripts that end and erase them. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { startJob } from '../../testing/claim-job.ts';
import { jobRequest } from '../../testing/job-request.ts';
import { openTestStore } from '../../testing/test-store.ts';
import type { StoredInput } from '../job.ts';
import { keys } from '../keys.ts';
import { JobStore } from './job-store.ts';
import type { Finish, InputMark, InputPolicy } from './words.ts';

const { redis } = await openTestStore();
beforeEach(() => redis.flushall());

const text = 'a secret sentence';
const mark: InputMark = ['text', 'ab12', 17];

async function ended(
  recording: InputPolicy | undefined,
  output: unknown,
  input: StoredInput = { kind: 'text', text },
  how: Partial<Finish> = {},
) {
  const store = new JobStore(redis, undefined, recording);
  const job = jobRequest();
  await store.admit(job, { input: [input], marks: [mark], queueMax: 1000, tenantMax: 1000 });
  await startJob(redis, job);
  const fragment = JSON.stringify(output);
  const end: Finish = { tenant: 'default', id: job.id, kind: 'item', status: 'succeeded', fragment, ...how };
  await store.finish([end]);
  return { store, job };
}

async function entries(): Promise<Record<string, string>[]> {
  const all = await redis.xrange(keys.predictions, '-', '+');
  return all.map(([, flat]) =>
    Object.fromEntries(flat.map((name, i) => [name, flat[i + 1] ?? '']).filter((_, i) => i % 2 === 0)),
  );
}

test('says nothing when nothing is recorded', async () => {
  await ended(undefined, 1);
  assert.equal(await redis.exists(keys.predictions), 0);
});

test('tells of an ended job once, with its document and, by policy, marks and input', async () => {
  for (const [policy, fields] of [
    ['none', ['t', 'i', 'd']],
    ['hash', ['t', 'i', 'd', 'im']],
    ['full', ['t', 'i', 'd', 'im', 'in']],
  ] as const) {
    await redis.flushall();
    const { store, job } = await ended(policy, { label: 'x' });
    await store.finish([{ tenant: 'default', id: job.id, kind: 'item', status: 'succeeded', fragment: '2' }]);
    const [entry, second] = await entries();
    assert.equal(second, undefined, 'a late result is no second entry');
    assert.deepEqual(Object.keys(entry ?? {}), fields);
    assert.deepEqual(JSON.parse(entry?.['d'] ?? '').out, { label: 'x' });
    if (policy !== 'none') assert.deepEqual(JSON.parse(entry?.['im'] ?? ''), [mark]);
    assert.equal(JSON.stringify(entry).includes(text), policy === 'full');
  }
});

test('is not told the input that a dead letter keeps', async () => {
  const { job } = await ended(
    'hash',
    { slug: 'poison-job' },
    { kind: 'text', text },
    { status: 'failed', deadLetter: true },
  );
  const [entry] = await entries();
  assert.ok((await redis.get(keys.finished('default', job.id)))?.includes(text));
  assert.deepEqual(JSON.parse(entry?.['d'] ?? '').err, { slug: 'poison-job' });
  assert.equal(JSON.stringify(entry).includes(text), false);
});

test('leaves a large output to be read by reference, and keeps the document until then', async () => {
  const { job } = await ended('hash', 'x'.repeat(10_000));
  const [entry] = await entries();
  assert.deepEqual(JSON.parse(entry?.['d'] ?? '').out, { $omitted: true });
  assert.ok((await redis.ttl(keys.finished('default', job.id))) > 600_000);
});

test('keeps the blobs of a job under the policy "full", and only then, until they are read', async () => {
  const blob: StoredInput = { kind: 'blob', blob: 'default/x/0', bytes: 3, type: 'image/png' };
  for (const [policy, isKept] of [
    ['hash', false],
    ['full', true],
  ] as const) {
    const { job } = await ended(policy, 1, blob);
    const dueInMs = Number(await redis.zscore(keys.blobs, `default/${job.id}`)) - Date.now();
    assert.equal(dueInMs > 600_000, isKept, policy);
  }
});

test('tells of an erased job after its end', async () => {
  const { store, job } = await ended('hash', 1);
  await store.erase({ tenant: 'default', id: job.id }, null);
  const [, erased] = await entries();
  assert.deepEqual(erased, { t: 'default', i: job.id, e: '1' });
});
