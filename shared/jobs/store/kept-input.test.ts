/** The input of a job goes with its end, except that of a dead letter, which somebody may want to run again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startJob } from '../../testing/claim-job.ts';
import { jobRequest } from '../../testing/job-request.ts';
import { openTestStore } from '../../testing/test-store.ts';
import type { JobRequest, StoredInput } from '../job.ts';
import { keys } from '../keys.ts';
import type { Finish } from './words.ts';

const { redis, store } = await openTestStore();

const texts = (...all: string[]): StoredInput[] => all.map((text) => ({ kind: 'text', text }));
async function admitted(input: StoredInput[], list = input.length > 1): Promise<JobRequest> {
  const job = jobRequest({ list, items: input.length });
  await store.admit(job, { input, queueMax: 1000, tenantMax: 1000 });
  await startJob(redis, job);
  return job;
}
const end = (job: JobRequest, extra: Partial<Finish> = {}): Finish => ({
  tenant: job.tenant,
  id: job.id,
  kind: 'item',
  status: 'failed',
  fragment: '{"type":"/problems/poison-job"}',
  ...extra,
});
async function keptInput(job: JobRequest) {
  const record = await store.read(job);
  assert.ok(record && record !== 'gone');
  return record.keptInput;
}

test('a dead letter keeps its input as long as its outcome; any other end deletes it', async () => {
  const input = texts('quote " and \\ and я');
  const [dead, failed] = [await admitted(input), await admitted(input)];
  await store.finish([end(dead, { deadLetter: true }), end(failed)]);
  assert.deepEqual(await keptInput(dead), input);
  assert.equal(await keptInput(failed), undefined);
  assert.ok((await redis.ttl(keys.finished('default', dead.id))) <= 60);
});

test('one item of several set aside keeps the input of all, whoever ends the job later', async () => {
  const job = await admitted(texts('a', 'b', 'c'));
  assert.deepEqual(await store.finish([end(job, { index: 1, deadLetter: true })]), ['item-stored']);
  await store.finish([end(job, { index: 0, status: 'succeeded', fragment: '1' })]);
  await store.finish([end(job, { index: 2, status: 'succeeded', fragment: '2' })]);
  assert.deepEqual(await keptInput(job), texts('a', 'b', 'c'));
});

test('a whole job set aside keeps its input, also when its output moves to a blob; erasing takes it', async () => {
  const job = await admitted(texts('a', 'b'));
  await store.finish([end(job, { kind: 'job', deadLetter: true })]);
  assert.equal(await store.offload(job, async () => 'a-blob'), true);
  assert.deepEqual(await keptInput(job), texts('a', 'b'));
  assert.equal(await store.erase(job, null), true);
  assert.equal(await redis.exists(keys.finished('default', job.id)), 0);
  assert.equal(await redis.zscore(keys.dead, `default/${job.id}`), null);
});
