/** Tenants see nothing of each other, on every route of the OpenAPI document; and the document names every route. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { keys } from '../shared/jobs/keys.ts';
import { startTestRedis, type TestRedis } from '../shared/testing/redis.ts';
import { apiRoutes } from './routes/routes.ts';
import { Client } from './testing/client.ts';
import { runJob } from './testing/fake-worker.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';

type Operation = { readonly security?: unknown[]; readonly 'x-codeSamples'?: { readonly source: string }[] };
type Document = { readonly paths: Record<string, Record<string, Operation>>; readonly webhooks: object };
const unknownId = 'job_001a1fd25e28f76f9a72819fb288199f5';

describe('tenants', () => {
  let server: TestRedis;
  let api: TestApi;
  let ours: Client;
  let theirs: Client;
  let document: Document;
  before(async () => {
    server = await startTestRedis();
    api = await startTestApi(server.url, {
      env: { MILLRACE_API_KEYS: 'ours=ours-key-0000000001,theirs=theirs-key-00000002' },
    });
    ours = new Client(api.url, 'ours-key-0000000001');
    theirs = new Client(api.url, 'theirs-key-00000002');
    document = (await (await fetch(`${api.url}/openapi.json`)).json()) as Document;
  });
  after(async () => {
    await api.close();
    await server.stop();
  });

  it('answers another tenant exactly as for an id that never was, on every route with an id', async () => {
    const live = (await ours.submit({ model: 'ner', input: 'x' })).job.id;
    const done = (await ours.submit({ model: 'ner', input: 'x' })).job.id;
    await runJob(api.redis, { tenant: 'ours', id: done });
    let routes = 0;
    for (const [path, methods] of Object.entries(document.paths)) {
      if (!path.startsWith('/v1/jobs/{id}')) continue;
      for (const method of Object.keys(methods)) {
        routes++;
        const ask = async (id: string) => {
          const isFeedback = path.endsWith('/feedback');
          const answer = await theirs.ask(path.replace('{id}', id), {
            method: method.toUpperCase(),
            ...(isFeedback && { body: '{"verdict":"right"}' }),
          });
          const { request_id, ...body } = answer.job as unknown as Record<string, unknown>;
          return JSON.stringify([answer.status, body]);
        };
        const expected = await ask(unknownId);
        assert.match(expected, /^\[404/);
        for (const id of [live, done]) assert.equal(await ask(id), expected, `${method} ${path}`);
      }
    }
    assert.equal(routes, 7);
    assert.equal((await ours.read(live)).job.status, 'queued');
    assert.equal((await ours.read(done)).status, 200);
  });

  it('keeps lists and idempotency keys apart', async () => {
    const key = { 'Idempotency-Key': 'shared words' };
    const mine = (await ours.submit({ model: 'ner', input: 'one' }, key)).job.id;
    const other = await theirs.submit({ model: 'ner', input: 'two' }, key);
    assert.equal(other.status, 202);
    assert.notEqual(other.job.id, mine);
    const list = (await theirs.ask('/v1/jobs')).job as unknown as { data: { id: string }[] };
    assert.deepEqual(
      list.data.map(({ id }) => id),
      [other.job.id],
    );
    const secrets = await Promise.all([ours, theirs, ours].map((client) => client.ask('/v1/webhooks/secret')));
    const [a, b, c] = secrets.map(({ job }) => (job as unknown as { secret: string }).secret);
    assert.ok(a?.startsWith('whsec_') && a === c && a !== b);
  });

  it('keeps URLs that were turned off apart', async () => {
    const url = 'https://example.com/hook';
    await api.redis.sadd(keys.disabledHooks('ours'), url);
    const enable = async (client: Client) => {
      const answer = await client.ask('/v1/webhooks/enable', { method: 'POST', body: JSON.stringify({ url }) });
      return (answer.job as unknown as { was_disabled: boolean }).was_disabled;
    };
    const listed = async (client: Client) =>
      ((await client.ask('/v1/webhooks/disabled')).job as unknown as { data: { url: string }[] }).data;
    assert.deepEqual(await listed(theirs), []);
    assert.equal(await enable(theirs), false);
    assert.deepEqual(await listed(ours), [{ url }]);
    assert.equal(await enable(ours), true);
  });

  it('asks for a key on every route that the document does not call open', async () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { security }] of Object.entries(methods)) {
        const response = await fetch(api.url + path.replace('{id}', unknownId), { method: method.toUpperCase() });
        await response.text();
        if (security?.length === 0) assert.notEqual(response.status, 401, path);
        else assert.equal(response.status, 401, `${method} ${path}`);
      }
    }
  });

  it('documents every route, and routes all that it documents', () => {
    const pages = ['/', '/openapi.json', '/docs', '/problems', '/problems/:slug'];
    const served = apiRoutes(api.dependencies)
      .filter(({ path }) => !pages.includes(path))
      .flatMap(({ path, methods }) =>
        Object.keys(methods).map((method) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`),
      );
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    assert.deepEqual(served.sort(), documented.sort());
    assert.ok(document.webhooks);
  });

  it('serves pages that name no other host, and a page for every problem', async () => {
    const docs = await (await fetch(`${api.url}/docs`)).text();
    assert.doesNotMatch(docs, /<script|src="http|@import|cdn/i);
    const listed = (await (await fetch(`${api.url}/problems`)).json()) as { data: { type: string; status: number }[] };
    assert.ok(listed.data.length > 40);
    for (const { type } of listed.data) {
      const html = await fetch(api.url + type, { headers: { Accept: 'text/html' } });
      assert.deepEqual([html.status, html.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
      assert.match(await html.text(), /What to do/);
    }
    assert.equal((await fetch(`${api.url}/problems/no-such`)).status, 404);
  });
});
