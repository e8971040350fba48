/** Event streams with the real `eventsource` package: cut, resumed, slow, too many; nothing missed, nothing seen twice. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { EventSource } from 'eventsource';
import { jobStatuses } from '../../shared/jobs/job.ts';
import { JobStore } from '../../shared/jobs/store/job-store.ts';
import { startJob } from '../../shared/testing/claim-job.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { Client } from '../testing/client.ts';
import { runJob } from '../testing/fake-worker.ts';
import { rawRequest, sendRaw } from '../testing/raw-request.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const key = 'key-of-the-tests-0001';
const names = [...jobStatuses, 'progress', 'reset'];

interface Seen {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

describe('event streams', () => {
  let server: TestRedis;
  let api: TestApi;
  let client: Client;
  before(async () => {
    server = await startTestRedis();
    api = await startTestApi(server.url, {
      env: { MILLRACE_API_KEYS: key },
      streamLimits: { streamsMax: 60, perTenantMax: 50, bufferBytesMax: 64 * 1024, pingEveryMs: 200 },
    });
    client = new Client(api.url, key);
  });
  after(async () => {
    await api.close();
    await server.stop();
  });

  const submit = async (items = 1) => (await client.submit({ model: 'ner', inputs: Array(items).fill('x') })).job;
  const finish = async (id: string) => runJob(api.redis, { tenant: 'default', id });
  const follow = (url: string) => {
    const seen: Seen[] = [];
    const source = new EventSource(url);
    for (const name of names) {
      source.addEventListener(name, (event) => {
        seen.push({ id: event.lastEventId, name, status: (JSON.parse(event.data) as { status: string }).status });
      });
    }
    return { seen, source };
  };
  const stream = (id: string, headers: Record<string, string> = {}, query = '') =>
    sendRaw(
      api.port,
      rawRequest({ path: `/v1/jobs/${id}/events${query}`, headers: { Authorization: `Bearer ${key}`, ...headers } }),
    );

  it('answers HEAD at once, without a stream', async () => {
    const { id } = await submit();
    const headers = { Authorization: `Bearer ${key}` };
    const answer = await fetch(`${api.url}/v1/jobs/${id}/events`, {
      method: 'HEAD',
      headers,
      signal: AbortSignal.timeout(30_000),
    });
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'text/event-stream; charset=utf-8']);
    assert.equal(api.dependencies.streams.open, 0);
  });

  it('gives the present state first, then each change, and tells a reader who comes back to stop', async () => {
    const job = await submit();
    assert.match(job.urls.events, /\?token=default\.\d+\.[\w-]+$/);
    const { seen, source } = follow(job.urls.events);
    await waitUntil('the snapshot is there', () => seen.length === 1);
    await finish(job.id);
    await waitUntil('the outcome is there', () => seen.at(-1)?.status === 'succeeded');
    assert.deepEqual(
      seen.map(({ id, name }) => `${id} ${name}`),
      ['1 queued', '2 processing', '3 succeeded'],
    );
    await waitUntil('204 has closed it for good', () => source.readyState === EventSource.CLOSED);
    assert.equal(seen.length, 3);
  });

  it('misses nothing and sees nothing twice when it is cut again and again', async () => {
    const job = await submit(40);
    const { seen, source } = follow(job.urls.events);
    await waitUntil('it has begun', () => seen.length === 1);
    const cutter = setInterval(() => api.server.closeAllConnections(), 250);
    const store = new JobStore(api.redis);
    await startJob(api.redis, { tenant: 'default', id: job.id });
    for (let index = 0; index < 40; index++) {
      await store.finish([{ tenant: 'default', id: job.id, kind: 'item', status: 'succeeded', index, fragment: '1' }]);
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    clearInterval(cutter);
    await waitUntil('the outcome is there', () => seen.at(-1)?.name === 'succeeded');
    assert.deepEqual(
      seen.map(({ id }) => Number(id)),
      Array.from({ length: 42 }, (_, n) => n + 1),
    );
    assert.equal(seen.filter(({ name }) => name === 'progress').length, 39);
    source.close();
  });

  it('replays exactly what came after Last-Event-ID, by header or query', async () => {
    const job = await submit(3);
    await finish(job.id);
    for (const answer of [
      await stream(job.id, { 'Last-Event-ID': '2' }),
      await stream(job.id, {}, '?last_event_id=2'),
    ]) {
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'text/event-stream; charset=utf-8');
      assert.equal(answer.headers['x-accel-buffering'], 'no');
      assert.deepEqual(
        [...answer.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id),
        ['3', '4', '5'],
      );
      assert.deepEqual(
        [...answer.text.matchAll(/^event: (.+)$/gm)].map(([, name]) => name),
        ['progress', 'progress', 'succeeded'],
      );
    }
    assert.equal((await stream(job.id, { 'Last-Event-ID': '5' })).status, 204);
    const late = await stream(job.id);
    assert.deepEqual(
      [...late.text.matchAll(/^event: (.+)$/gm)].map(([, name]) => name),
      ['succeeded'],
    );
  });

  it('70 answers an id that no event has with one reset', async () => {
    const job = await submit();
    await finish(job.id);
    for (const id of ['99', 'abc', '-1']) {
      const answer = await stream(job.id, { 'Last-Event-ID': id });
      assert.deepEqual(
        [...answer.text.matchAll(/^event: (.+)$/gm)].map(([, name]) => name),
        ['reset'],
      );
      assert.match(answer.text, /^id: 3$/m);
    }
  });

  it('pings while nothing happens', async () => {
    const job = await submit();
    const socket = connect(api.port, '127.0.0.1');
    socket.write(rawRequest({ path: new URL(job.urls.events).pathname, headers: { Authorization: `Bearer ${key}` } }));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    await waitUntil('two pings came', () => (text.match(/^: ping$/gm)?.length ?? 0) >= 2);
    socket.destroy();
    await waitUntil('it is closed', () => api.dependencies.streams.open === 0);
  });

  it('needs a key, or the token of this very job that is not an hour old', async () => {
    const [one, other] = [await submit(), await submit()];
    const path = (id: string, token: string) => fetch(`${api.url}/v1/jobs/${id}/events?token=${token}`);
    const token = new URL(one.urls.events).searchParams.get('token') ?? '';
    const old = api.dependencies.tokens.mint({ tenant: 'default', id: one.id }, Date.now() - 3_700_000);
    for (const [id, given] of [
      [other.id, token],
      [one.id, `${token}x`],
      [one.id, old],
      [one.id, ''],
    ] as const) {
      assert.equal((await path(id, given)).status, 401);
    }
    assert.equal((await fetch(`${api.url}/v1/jobs/${one.id}?token=${token}`)).status, 401);
  });

  it('69 refuses more streams than it holds with 429, and has room again when they close', async () => {
    const job = await submit();
    const sources = Array.from({ length: 50 }, () => new EventSource(job.urls.events));
    await waitUntil('all are open', () => api.dependencies.streams.open === 50);
    const refused = await client.ask(`/v1/jobs/${job.id}/events`);
    assert.deepEqual([refused.status, refused.slug], [429, 'too-many-streams']);
    for (const source of sources) source.close();
    await waitUntil('all are closed', () => api.dependencies.streams.open === 0);
    assert.match(await api.registry.metrics(), /inference_open_streams\{[^}]*\} 0/);
  });

  it('cuts off a reader who does not read', async (t) => {
    const { job } = await client.submit({
      model: 'ner',
      inputs: Array(256).fill('x'),
      metadata: { pad: 'p'.repeat(500) },
    });
    const socket = connect(api.port, '127.0.0.1');
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    socket.pause();
    socket.write(rawRequest({ path: new URL(job.urls.events).pathname, headers: { Authorization: `Bearer ${key}` } }));
    await waitUntil('it is open', () => api.dependencies.streams.open === 1);
    // Kernel buffers take some hundred KB before ours grow: pings alone would take for ever.
    const write = setInterval(() => api.dependencies.watcher.wakeAll(), 5);
    t.after(() => clearInterval(write));
    await runJob(api.redis, { tenant: 'default', id: job.id }, () => 'y'.repeat(40_000));
    clearInterval(write);
    await waitUntil('it is cut', () => api.dependencies.streams.open === 0);
    socket.destroy();
  });

  it('does not lose the outcome of a job that ends while somebody subscribes, 40 times', async () => {
    const jobs = await Promise.all(Array.from({ length: 25 }, () => submit()));
    for (let round = 0; round < 40; round++) {
      const job = jobs[round % 25] ?? (await submit());
      const fresh = round < 25 ? job : await submit();
      const [answer] = await Promise.all([stream(fresh.id), finish(fresh.id)]);
      assert.match(answer.text, /event: succeeded/);
    }
  });
});
