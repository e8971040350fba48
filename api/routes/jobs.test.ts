/** Jobs over HTTP, from submission to erasure, with a worker that runs in the test. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { keys } from '../../shared/jobs/keys.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { Client } from '../testing/client.ts';
import { runJob, startFakeWorker } from '../testing/fake-worker.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const upper = (input: { kind: string; text?: string }) => [{ word: input.text?.toUpperCase() }];
const wait = (seconds: number) => ({ Prefer: `wait=${seconds}` });

describe('jobs over HTTP', () => {
  let server: TestRedis;
  let api: TestApi;
  let client: Client;
  before(async () => {
    server = await startTestRedis();
    api = await startTestApi(server.url);
    client = new Client(api.url);
  });
  after(async () => {
    await api.close();
    await server.stop();
  });
  const ref = (id: string) => ({ tenant: 'default', id });

  it('accepts a job with 202 and Location, runs it, and shows all of it', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const body = { task: 'token-classification', input: 'milk', metadata: { order: '7' }, priority: 'low' };
    const submitted = await client.submit(body, { traceparent, 'X-Request-Id': 'mine-1' });
    assert.equal(submitted.status, 202);
    const { id } = submitted.job;
    assert.equal(submitted.headers.get('location'), `${api.url}/v1/jobs/${id}`);
    assert.deepEqual(
      [submitted.headers.get('traceparent'), submitted.headers.get('x-request-id')],
      [traceparent, 'mine-1'],
    );
    assert.deepEqual((await client.read(id)).job, submitted.job);
    await runJob(api.redis, ref(id), upper as never);
    const { job } = await client.read(id);
    assert.deepEqual([job.status, job.output, job.metadata], ['succeeded', [{ word: 'MILK' }], { order: '7' }]);
    assert.deepEqual([job.priority, job.model, job.model_version, job.attempts], ['low', 'ner', '1', 1]);
    assert.deepEqual(job.counts, { total: 1, succeeded: 1, failed: 0 });
    assert.ok(job.metrics.total_seconds !== null && job.metrics.queue_seconds !== null);
    const stored = JSON.parse((await api.redis.get(keys.finished('default', id))) ?? '{}') as {
      req: { traceparent: string };
    };
    assert.equal(stored.req.traceparent, traceparent);
  });

  it('answers a waiting caller with 200 as soon as the job has ended', async () => {
    const worker = startFakeWorker(server.url, 'ner', upper as never);
    try {
      const startedMs = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => client.submit({ model: 'ner', input: `item ${n}` }, wait(30))),
      );
      assert.ok(performance.now() - startedMs < 20_000, 'nobody waited until the time was up');
      for (const [n, { status, job, headers }] of answers.entries()) {
        assert.deepEqual([status, job.output], [200, [{ word: `ITEM ${n}` }]]);
        assert.equal(headers.get('preference-applied'), 'wait=30');
      }
    } finally {
      await worker.stop();
    }
  });

  it('takes the outcome from what it is told, and reads only what is too large to be told', async (t) => {
    const read = t.mock.method(api.dependencies.store, 'read');
    const worker = startFakeWorker(server.url, 'ner', (input) => {
      const { text = '' } = input as { text?: string };
      return [{ word: text === 'long' ? text.repeat(10_000) : text }];
    });
    try {
      for (const [input, reads, begins] of [['short', 0, 'short'] as const, ['long', 1, 'longl'] as const]) {
        read.mock.resetCalls();
        const startedMs = performance.now();
        const { status, job } = await client.submit({ model: 'ner', input }, wait(30));
        const [{ word }] = job.output as [{ word: string }];
        assert.deepEqual([status, word.slice(0, 5)], [200, begins]);
        // Whoever waits looks by itself, once a second at most: on a busy machine it may have to.
        const looks = Math.floor((performance.now() - startedMs) / 1000);
        const count = read.mock.callCount();
        assert.ok(count >= reads && count <= reads + looks, `${count} reads for ${input}, ${looks} looks`);
      }
    } finally {
      await worker.stop();
    }
  });

  it('answers a waiting caller with 202 when the time is up, and a reader with what there is', async () => {
    const submitted = await client.submit({ model: 'ner-large', input: 'x' }, wait(1));
    assert.deepEqual([submitted.status, submitted.job.status], [202, 'queued']);
    const polled = client.read(submitted.job.id, wait(10));
    await runJob(api.redis, ref(submitted.job.id));
    assert.deepEqual([(await polled).status, (await polled).job.status], [200, 'succeeded']);
  });

  it('misses no outcome that comes right after the admission, 200 times', async () => {
    const worker = startFakeWorker(server.url, 'ner-large');
    try {
      for (let round = 0; round < 10; round++) {
        const wishes = Array.from({ length: 20 }, () => client.submit({ model: 'ner-large', input: 'x' }, wait(30)));
        for (const { status } of await Promise.all(wishes)) assert.equal(status, 200);
      }
    } finally {
      await worker.stop();
    }
  });

  it('keeps items in order, lets one bad item fail alone, and takes one item as a list', async () => {
    const { job } = await client.submit({ model: 'ner', inputs: ['a', { text: 'b' }, 'c'] });
    await runJob(api.redis, ref(job.id), (_input, index) => {
      if (index === 1) throw new Error('the second is bad');
      return index;
    });
    const done = (await client.read(job.id)).job;
    const items = done.output as { index: number; status: string; output?: number; error?: { detail: string } }[];
    assert.deepEqual(
      items.map(({ status }) => status),
      ['succeeded', 'failed', 'succeeded'],
    );
    assert.equal(items[1]?.error?.detail, 'the second is bad');
    assert.deepEqual([done.status, done.counts], ['succeeded', { total: 3, succeeded: 2, failed: 1 }]);
    const single = await client.submit({ model: 'ner', inputs: ['only'] });
    await runJob(api.redis, ref(single.job.id));
    assert.equal(((await client.read(single.job.id)).job.output as unknown[]).length, 1);
  });

  it('cancels a queued and a running job, again with 200, another outcome with 409; workers hear of it', async () => {
    const heard: string[] = [];
    const control = api.redis.duplicate({ enableOfflineQueue: true });
    control.on('message', (_channel, message: string) => heard.push(message));
    await control.subscribe(keys.control);
    const cancel = (id: string) => client.ask(`/v1/jobs/${id}/cancel`, { method: 'POST' });
    const { job } = await client.submit({ model: 'ner', input: 'x' });
    for (const answer of [await cancel(job.id), await cancel(job.id)]) {
      assert.deepEqual([answer.status, answer.job.status], [200, 'canceled']);
      assert.equal(answer.job.error?.type, '/problems/canceled');
    }
    assert.equal(await runJob(api.redis, ref(job.id)), false);
    await waitUntil('workers are told once', () => heard.length === 1);
    assert.deepEqual(heard, [`cancel default/${job.id}`]);
    const done = await client.submit({ model: 'ner', input: 'x' });
    await runJob(api.redis, ref(done.job.id));
    assert.deepEqual([(await cancel(done.job.id)).status, (await cancel(done.job.id)).slug], [409, 'already-finished']);
    control.disconnect();
  });

  it('drops the job of a waiting caller who hangs up, when told so', async () => {
    for (const [field, header] of [
      [true, undefined],
      [undefined, 'true'],
    ] as const) {
      const hangUp = new AbortController();
      const body = {
        model: 'ner',
        input: 'x',
        metadata: { drop: 'me' },
        ...(field && { cancel_on_disconnect: field }),
      };
      const headers = { ...wait(30), ...(header && { 'Cancel-On-Disconnect': header }) };
      const submitted = client.submit(body, headers, hangUp.signal);
      submitted.catch(() => {});
      let id = '';
      await waitUntil('the job is there', async () => {
        const list = await client.ask('/v1/jobs?status=queued&limit=1');
        id = (list.job as unknown as { data: { id: string; metadata: object }[] }).data[0]?.id ?? '';
        return id !== '';
      });
      hangUp.abort();
      await assert.rejects(submitted);
      await waitUntil('it is canceled', async () => (await client.read(id)).job.status === 'canceled');
    }
  });

  it('erases a job: canceled first, then unknown, its idempotency key free again', async () => {
    const headers = { 'Idempotency-Key': 'erase-me' };
    const { job } = await client.submit({ model: 'ner', input: 'x' }, headers);
    assert.equal((await client.ask(`/v1/jobs/${job.id}`, { method: 'DELETE' })).status, 204);
    for (const answer of [await client.read(job.id), await client.ask(`/v1/jobs/${job.id}`, { method: 'DELETE' })]) {
      assert.deepEqual([answer.status, answer.slug], [404, 'not-found']);
    }
    const again = await client.submit({ model: 'ner', input: 'x' }, headers);
    assert.notEqual(again.job.id, job.id);
    assert.deepEqual(await api.redis.keys(`*${job.id}*`), []);
  });

  it('answers 410 once retention is over', async () => {
    const { job } = await client.submit({ model: 'ner', input: 'x', retention: 1 });
    await runJob(api.redis, ref(job.id));
    await api.redis.pexpire(keys.finished('default', job.id), 1);
    await waitUntil('it is gone', async () => (await client.read(job.id)).status === 410);
    for (const path of ['/events', '/deliveries'])
      assert.equal((await client.ask(`/v1/jobs/${job.id}${path}`)).status, 410);
  });

  it('takes every field in a form as in JSON, and gives texts back as they came', async () => {
    const form = new FormData();
    const fields = {
      model: 'ner',
      input: 'Ünïcødé 🍎 молоко',
      metadata: '{"a":"1"}',
      expires_in: '60',
      priority: 'high',
    };
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    const { status, job } = await client.ask('/v1/jobs', { method: 'POST', body: form });
    assert.deepEqual([status, job.metadata, job.priority], [202, { a: '1' }, 'high']);
    await runJob(api.redis, ref(job.id), (input) => (input as { text: string }).text);
    assert.equal((await client.read(job.id)).job.output, fields.input);
  });

  it('counts what it admits and how it answers', async () => {
    const text = await api.registry.metrics();
    assert.match(
      text,
      /inference_jobs_admitted_total\{task="token-classification",model="ner",class="normal"[^}]*\} \d+/,
    );
    assert.match(text, /inference_http_requests_total\{route="\/v1\/jobs",method="POST",status="202"/);
    assert.match(text, /inference_queue_depth\{queue="ner.normal",model="ner",class="normal",state="waiting"/);
    assert.doesNotMatch(text, /job_0/);
  });

  it('logs request, job and trace ids, never what was sent', async () => {
    await client.submit({ model: 'ner', input: 'a very secret text' });
    const line = api.logs
      .map((entry) => JSON.parse(entry) as Record<string, unknown>)
      .findLast((entry) => entry['msg'] === 'POST');
    assert.match(String(line?.['job']), /^job_/);
    assert.match(String(line?.['trace']), /^[0-9a-f]{32}$/);
    assert.doesNotMatch(api.logs.join(''), /very secret/);
  });
});
