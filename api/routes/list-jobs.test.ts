/** Lists page through a tenant's jobs, newest first, each job once. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Job } from '../../shared/jobs/job.ts';
import { keys } from '../../shared/jobs/keys.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { Client } from '../testing/client.ts';
import { runJob } from '../testing/fake-worker.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

interface Page {
  readonly data: readonly Job[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

describe('listing jobs', () => {
  let server: TestRedis;
  let api: TestApi;
  let client: Client;
  const ids: string[] = [];
  let middle = '';
  before(async () => {
    server = await startTestRedis();
    api = await startTestApi(server.url);
    client = new Client(api.url);
    for (let n = 0; n < 57; n++) {
      if (n === 30) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        middle = new Date().toISOString();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const { job } = await client.submit({ model: n % 3 === 0 ? 'ner-large' : 'ner', input: `${n}` });
      ids.push(job.id);
      if (n % 5 === 0) await runJob(api.redis, { tenant: 'default', id: job.id });
    }
  });
  after(async () => {
    await api.close();
    await server.stop();
  });

  const list = async (query: string) => (await client.ask(`/v1/jobs?${query}`)).job as unknown as Page;
  const all = async (query: string) => {
    const pages: Page[] = [];
    let cursor = '';
    do {
      const page = await list(`${query}${cursor && `&cursor=${cursor}`}`);
      pages.push(page);
      cursor = page.next_cursor ?? '';
    } while (cursor);
    return pages;
  };

  it('gives every job once, newest first, whatever the page size', async () => {
    for (const limit of [1, 7, 57, 100]) {
      const pages = await all(`limit=${limit}`);
      const seen = pages.flatMap(({ data }) => data);
      assert.deepEqual(new Set(seen.map(({ id }) => id)), new Set(ids));
      assert.equal(seen.length, ids.length);
      const times = seen.map(({ created_at }) => created_at);
      assert.deepEqual(times, times.toSorted().toReversed());
      assert.equal(pages.at(-1)?.has_more, false);
    }
    assert.equal((await list('')).data.length, 20);
  });

  it('gives every job once also when all were made in the same millisecond', async () => {
    const { redis } = api;
    const index = (await redis.keys('*jobs:default'))[0] ?? '';
    const scores = await redis.zrange(index, '0', '-1', 'WITHSCORES');
    for (const id of ids) await redis.zadd(index, 1_700_000_000_000, id);
    const seen = (await all('limit=10')).flatMap(({ data }) => data.map(({ id }) => id));
    assert.deepEqual(seen.toSorted(), ids.toSorted());
    assert.ok(scores.length > 0);
    for (const [n, id] of ids.entries()) await redis.zadd(index, Date.parse(middle) + (n - 30) * 10 + 1, id);
  });

  it('filters by status, model and time, together too', async () => {
    const idsOf = async (query: string) =>
      (await all(query)).flatMap(({ data }) => data.map(({ id }) => id)).toReversed();
    assert.deepEqual(
      await idsOf('status=succeeded'),
      ids.filter((_, n) => n % 5 === 0),
    );
    assert.deepEqual(
      await idsOf('model=ner-large&limit=4'),
      ids.filter((_, n) => n % 3 === 0),
    );
    assert.deepEqual(await idsOf(`created_after=${middle}`), ids.slice(30));
    assert.deepEqual(
      await idsOf(`created_after=${middle}&status=succeeded&model=ner-large`),
      ids.filter((_, n) => n >= 30 && n % 15 === 0),
    );
  });

  it('lists models with their state, and one by its id', async () => {
    const models = (await client.ask('/v1/models')).job as unknown as {
      data: { id: string; status: string; error: string }[];
    };
    assert.deepEqual(
      models.data.map(({ id, status }) => `${id} ${status}`),
      ['ner no-worker', 'ner-large no-worker', 'asr no-worker', 'photos no-worker', 'cracked broken'],
    );
    assert.equal(models.data.at(-1)?.error, 'no graph');
    assert.equal((await client.ask('/v1/models/asr')).status, 200);
    assert.equal((await client.ask('/v1/models/nope')).status, 404);
  });

  it('is ready once a living worker has a model, and names what is missing before', async () => {
    const before = await client.ask('/readyz');
    assert.equal(before.status, 503);
    assert.match(JSON.stringify(before.job), /Start a worker/);
    const state = JSON.stringify({ state: 'ready', version: '1', device: 'cpu', at: new Date().toISOString() });
    await api.redis.hset(keys.modelStates, 'ner/host-1', state);
    assert.equal((await client.ask('/readyz')).status, 503);
    await api.redis.set(keys.workerAlive('host-1'), '1', 'PX', 60_000);
    const ready = await client.ask('/readyz');
    assert.equal(ready.status, 200);
    assert.match(JSON.stringify(ready.job), /1 of 4 models ready; not ready: ner-large \(no-worker\)/);
    const ner = (await client.ask('/v1/models/ner')).job as unknown as {
      status: string;
      workers: { worker: string }[];
    };
    assert.deepEqual([ner.status, ner.workers[0]?.worker], ['ready', 'host-1']);
  });

  it('leaves out an output that lies in a blob, says so, and does not need the blob', async () => {
    const ref = { tenant: 'default', id: ids[0] as string };
    const { store, blobs } = api.dependencies;
    const before = await client.read(ref.id);
    await store.offload(ref, async (json) => await blobs.adopt(ref, 'output', await blobs.spool(Buffer.from(json))));
    const listed = async () =>
      (await all('status=succeeded')).flatMap(({ data }) => data).find(({ id }) => id === ref.id);
    assert.deepEqual((await client.read(ref.id)).job.output, before.job.output);
    assert.deepEqual(await listed(), { ...before.job, output: null, output_omitted: true });
    await blobs.remove(ref);
    assert.equal((await listed())?.id, ref.id);
  });

  it('leaves out a record of a release too far away, and lists the others', async () => {
    const { job } = await client.submit({ model: 'ner', input: 'from the future' });
    await api.redis.hset(keys.job('default', job.id), 'v', 99);
    assert.equal((await client.read(job.id)).slug, 'unsupported-record');
    const seen = (await all('limit=50')).flatMap(({ data }) => data.map(({ id }) => id));
    assert.equal(seen.includes(job.id), false);
    assert.equal(seen.length, ids.length);
  });
});
