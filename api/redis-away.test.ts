/** Redis dies, freezes and fills up: every route says 503 soon, nothing acknowledged is lost, and all is well after. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { keys } from '../shared/jobs/keys.ts';
import { startTestRedis, type TestRedis } from '../shared/testing/redis.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { Client } from './testing/client.ts';
import { startFakeWorker } from './testing/fake-worker.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';

/** Production's is 1.5 s: longer here, so that a busy machine's own delays are not taken for it. */
const commandMs = 6000;

describe('when Redis is away', () => {
  let server: TestRedis;
  let api: TestApi;
  let client: Client;
  before(async () => {
    server = await startTestRedis();
    api = await startTestApi(server.url, { commandTimeoutMs: commandMs });
    client = new Client(api.url);
  });
  after(async () => {
    await api.close();
    await server.stop();
  });
  const body = { model: 'ner', input: 'x' };
  const recovered = () => waitUntil('a job is taken again', async () => (await client.submit(body)).status === 202);
  afterEach(recovered);

  const expect503 = async (idOfJob: string) => {
    const wishes: [string, RequestInit][] = [
      ['/v1/jobs', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }],
      ['/v1/jobs', {}],
      [`/v1/jobs/${idOfJob}`, {}],
      [`/v1/jobs/${idOfJob}`, { headers: { Prefer: 'wait=30' } }],
      [`/v1/jobs/${idOfJob}`, { method: 'DELETE' }],
      [`/v1/jobs/${idOfJob}/cancel`, { method: 'POST' }],
      [`/v1/jobs/${idOfJob}/events`, {}],
      [`/v1/jobs/${idOfJob}/deliveries`, {}],
      ['/v1/models', {}],
      ['/readyz', {}],
    ];
    const startedMs = performance.now();
    const answers = await Promise.all(wishes.map(([path, init]) => client.ask(path, init)));
    const tookMs = performance.now() - startedMs;
    for (const [n, { status, headers }] of answers.entries()) {
      assert.equal(status, 503, JSON.stringify(wishes[n]));
      assert.ok(headers.get('retry-after'), JSON.stringify(wishes[n]));
    }
    assert.equal((await client.ask('/livez')).status, 200);
    return tookMs;
  };

  it('answers 503 at once when it is dead, and recovers by itself with all that was acknowledged', async () => {
    const { job } = await client.submit(body);
    server.process().kill('SIGKILL');
    await waitUntil('it is noticed', async () => (await client.ask('/v1/models')).status === 503);
    assert.ok((await expect503(job.id)) < commandMs, 'nobody waited for a command');
    await server.restart();
    await recovered();
    assert.equal((await client.read(job.id)).job.status, 'queued');
  });

  it('answers 503 after the time of a command when it is frozen, and submissions at once from then on', async () => {
    const { job } = await client.submit(body);
    server.process().kill('SIGSTOP');
    try {
      assert.ok((await expect503(job.id)) < 3 * commandMs);
      await waitUntil('the gate has closed', () => api.dependencies.gate.closedFor === 'redis-away');
      const startedMs = performance.now();
      assert.equal((await client.submit(body)).status, 503);
      assert.ok(performance.now() - startedMs < commandMs, 'it waited for a command');
    } finally {
      server.process().kill('SIGCONT');
    }
  });

  it('closes at 70 % of the memory, lets waiting callers finish, and opens again below 65 %', async () => {
    // So much that the buffers of connections, which come and go, are no part of it worth naming. Made by the server: 32 MB
    // that are sent to it stand in its buffers as well, for as long as it likes.
    await api.redis.setrange('ballast', 32 * 2 ** 20 - 1, 'x');
    const used = Number(/used_memory:(\d+)/.exec(await api.redis.info('memory'))?.[1]);
    await api.redis.config('SET', 'maxmemory', String(Math.round(used / 0.72)));
    await waitUntil('it has closed', async () => (await client.submit(body)).status === 503);
    const refused = await client.submit(body);
    assert.equal(refused.slug, 'overloaded');
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    assert.match(await api.registry.metrics(), /inference_admission_refused_total\{reason="memory"/);
    assert.equal((await client.ask('/v1/jobs')).status, 200);
    await api.redis.config('SET', 'maxmemory', String(Math.round(used / 0.68)));
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal((await client.submit(body)).status, 503, 'between the two marks it stays as it is');
    await api.redis.config('SET', 'maxmemory', '0');
    await api.redis.del('ballast');
  });

  it('wakes a waiting caller although Redis was restarted under it', async () => {
    const live = async () => Number(await api.redis.hget(keys.live, 't:default'));
    const before = await live();
    const waiting = client.submit(body, { Prefer: 'wait=30' });
    await waitUntil('it is admitted', async () => (await live()) > before);
    server.process().kill('SIGKILL');
    await server.restart();
    const worker = startFakeWorker(server.url, 'ner');
    const { status, job } = await waiting;
    // Either it heard the outcome, or it was told of the acknowledged job as soon as the store was away.
    assert.ok(status === 200 || status === 202, String(status));
    await recovered();
    await waitUntil('the job ends', async () => (await client.read(job.id)).job.status === 'succeeded');
    await worker.stop();
  });
});
