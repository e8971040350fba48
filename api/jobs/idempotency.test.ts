/** The same Idempotency-Key with the same body is the same job, whatever happens around it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { keys } from '../../shared/jobs/keys.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { Client } from '../testing/client.ts';
import { runJob } from '../testing/fake-worker.ts';
import { pngBytes } from '../testing/media.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { canonicalJson } from './idempotency.ts';

describe('idempotency', () => {
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
  const key = (value: string) => ({ 'Idempotency-Key': value });
  const body = { model: 'ner', input: 'milk', metadata: { a: '1', b: '2' } };

  it('makes one job of a hundred equal requests at once', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.submit(body, key('k100'))));
    assert.equal(new Set(answers.map(({ job }) => job.id)).size, 1);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]));
    assert.equal(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true').length, 99);
    assert.equal(await api.redis.hget(keys.live, 't:default'), '1');
  });

  it('answers with the same job while it runs, after it ended (200), and to a caller who waits', async () => {
    const { job } = await client.submit(body, key('k2'));
    const waiting = client.submit(body, { ...key('k2'), Prefer: 'wait=10' });
    await runJob(api.redis, { tenant: 'default', id: job.id });
    for (const answer of [await waiting, await client.submit(body, key('k2'))]) {
      assert.deepEqual([answer.status, answer.job.id, answer.job.status], [200, job.id, 'succeeded']);
      assert.equal(answer.headers.get('idempotent-replayed'), 'true');
    }
  });

  it('sees the same body whatever the order of its fields, the way it came, or how long the caller waits', async () => {
    const { job } = await client.submit(body, key('k3'));
    const turned = { metadata: { b: '2', a: '1' }, input: { text: 'milk' }, model: 'ner', cancel_on_disconnect: false };
    assert.equal((await client.submit(turned, key('k3'))).job.id, job.id);
    const form = new FormData();
    for (const [name, value] of Object.entries({ model: 'ner', input: 'milk', metadata: '{"a":"1","b":"2"}' }))
      form.set(name, value);
    const answer = await client.ask('/v1/jobs', { method: 'POST', body: form, headers: key('k3') });
    assert.equal(answer.job.id, job.id);
  });

  it('refuses another body under the same key, be it a field, a text, a list or the bytes of a file', async () => {
    await client.submit(body, key('k4'));
    for (const other of [
      { ...body, input: 'milK' },
      { ...body, priority: 'low' },
      { model: 'ner', inputs: ['milk'] },
    ]) {
      const answer = await client.submit(other, key('k4'));
      assert.deepEqual([answer.status, answer.slug], [422, 'idempotency-key-reused']);
    }
    const photo = (size: number) => ({ model: 'photos', input: { data: pngBytes(size, size).toString('base64') } });
    const first = await client.submit(photo(8), key('k5'));
    assert.equal((await client.submit(photo(8), key('k5'))).job.id, first.job.id);
    assert.equal((await client.submit(photo(9), key('k5'))).slug, 'idempotency-key-reused');
  });

  it('keeps keys of a replayed upload from leaving files', async () => {
    const { readdir } = await import('node:fs/promises');
    const stored = (await readdir(`${api.dataDir}/blobs`, { recursive: true })).filter((path) => path.endsWith('/0'));
    assert.equal(stored.length, 1);
    assert.deepEqual(await readdir(`${api.dataDir}/incoming`), []);
  });

  it('finds the job again while admission is closed, and takes nothing new', async () => {
    const { job } = await client.submit(body, key('k6'));
    const { gate } = api.dependencies;
    Object.defineProperty(gate, 'closedFor', { get: () => 'memory', configurable: true });
    try {
      assert.equal((await client.submit(body, key('k6'))).job.id, job.id);
      const refused = await client.submit(body, key('k7'));
      assert.deepEqual([refused.status, refused.slug], [503, 'overloaded']);
      assert.ok(Number(refused.headers.get('retry-after')) >= 1);
      assert.equal((await client.submit({ ...body, input: 'x' }, key('k6'))).slug, 'idempotency-key-reused');
      assert.equal((await client.submit(body)).slug, 'overloaded');
    } finally {
      Reflect.deleteProperty(gate, 'closedFor');
    }
  });

  it('takes the key anew once the job was erased, also when its outcome was gone before', async () => {
    const { gate } = api.dependencies;
    for (const isGone of [false, true]) {
      const { job } = await client.submit(body, key('k8'));
      await runJob(api.redis, { tenant: 'default', id: job.id });
      if (isGone) {
        await api.redis.del(keys.finished('default', job.id));
        assert.equal((await client.submit(body, key('k8'))).slug, 'gone');
      }
      assert.equal((await client.ask(`/v1/jobs/${job.id}`, { method: 'DELETE' })).status, 204);
      Object.defineProperty(gate, 'closedFor', { get: () => 'memory', configurable: true });
      assert.equal((await client.submit(body, key('k8'))).slug, 'overloaded');
      Reflect.deleteProperty(gate, 'closedFor');
      const again = await client.submit(body, key('k8'));
      assert.deepEqual([again.status, again.job.id === job.id], [202, false]);
    }
  });

  it('writes JSON in one way only', () => {
    assert.equal(canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined }), '{"b":[1,{"c":"x","d":null}]}');
  });
});
