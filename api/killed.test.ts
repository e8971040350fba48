/**
 * The API as a process of its own, killed with -9 at random moments under load. Whoever sends the same Idempotency-Key
 * again gets the same job; every acknowledged job runs; none runs into two outcomes.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { keys } from '../shared/jobs/keys.ts';
import { endProcess } from '../shared/testing/end-process.ts';
import { freePort } from '../shared/testing/free-port.ts';
import { startTestRedis, type TestRedis } from '../shared/testing/redis.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { layBareModel } from './testing/bare-model.ts';
import { Client } from './testing/client.ts';
import { startFakeWorker } from './testing/fake-worker.ts';

const kills = 15;

describe('the API process', () => {
  let server: TestRedis;
  let folder: string;
  let port: number;
  let client: Client;
  const children: ChildProcess[] = [];
  before(async () => {
    server = await startTestRedis();
    folder = await mkdtemp(join(tmpdir(), 'millrace-killed-'));
    await layBareModel(join(folder, 'models', 'tiny'));
    port = await freePort();
    client = new Client(`http://127.0.0.1:${port}`);
  });
  after(async () => {
    await Promise.all(children.map((child) => endProcess(child)));
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (env: Record<string, string> = {}) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
      env: {
        PATH: process.env['PATH'],
        PORT: String(port),
        REDIS_URL: server.url,
        MILLRACE_DATA: join(folder, 'data'),
        MODELS_DIR: join(folder, 'models'),
        LOG_LEVEL: 'error',
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    let errors = '';
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
    });
    return { child, errors: () => errors, ended: new Promise<number | null>((resolve) => child.once('exit', resolve)) };
  };
  const listening = () => waitUntil('it listens', async () => (await client.ask('/livez')).status === 200);

  it(`killed ${kills} times under load, keeps what it acknowledged, and gives the same job for the same key`, async () => {
    const worker = startFakeWorker(server.url, 'tiny');
    const acknowledged = new Map<string, string>();
    const unanswered = new Set<string>();
    let sent = 0;
    for (let round = 0; round < kills; round++) {
      const { child, ended } = await start();
      await listening();
      const load = Array.from({ length: 8 }, async () => {
        for (let n = 0; n < 200; n++) {
          const key = `key-${sent++}`;
          try {
            const { status, job } = await client.submit({ model: 'tiny', input: key }, { 'Idempotency-Key': key });
            if (status === 503) {
              unanswered.add(key); // A busy machine kept Redis from answering for 1.5 s: nothing is acknowledged.
              continue;
            }
            assert.equal(status, 202);
            acknowledged.set(key, job.id);
          } catch (error) {
            if (error instanceof assert.AssertionError) throw error;
            unanswered.add(key);
            return;
          }
        }
      });
      // A busy machine acknowledges none for the first quarter of a second.
      const enough = acknowledged.size + 4;
      const killing = waitUntil('some are acknowledged', () => acknowledged.size >= enough).then(async () => {
        await sleep(Math.random() * 250);
        child.kill('SIGKILL');
      });
      await Promise.all([...load, killing]);
      await ended;
    }
    const { child, ended } = await start();
    await listening();
    for (const [key, id] of acknowledged) {
      const { job, headers } = await client.submit({ model: 'tiny', input: key }, { 'Idempotency-Key': key });
      assert.deepEqual([job.id, headers.get('idempotent-replayed')], [id, 'true']);
    }
    for (const key of unanswered) {
      const once = await client.submit({ model: 'tiny', input: key }, { 'Idempotency-Key': key });
      const again = await client.submit({ model: 'tiny', input: key }, { 'Idempotency-Key': key });
      assert.equal(once.job.id, again.job.id);
    }
    const redis = new Redis(server.url);
    const all = acknowledged.size + unanswered.size;
    await waitUntil('all have ended', async () => (await redis.hget(keys.live, 't:default')) === '0');
    assert.equal(await redis.zcard(keys.index('default')), all, 'one job per key');
    for (const id of acknowledged.values()) assert.equal((await client.read(id)).job.status, 'succeeded');
    assert.ok(
      acknowledged.size > 50 && unanswered.size >= kills,
      `${acknowledged.size} acknowledged, ${unanswered.size} cut off`,
    );
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    redis.disconnect();
    await worker.stop();
  });

  it('stops on SIGTERM with a waiting caller answered and a stream ended', async () => {
    const { child, ended } = await start();
    await listening();
    const waiting = client.submit({ model: 'tiny', input: 'x' }, { Prefer: 'wait=30' });
    await waitUntil('it is taken', async () => {
      const { job: list } = await client.ask('/v1/jobs?status=queued');
      return (list as unknown as { data: object[] }).data.length > 0;
    });
    const { job } = await client.submit({ model: 'tiny', input: 'y' });
    const stream = await fetch(job.urls.events);
    const startedMs = performance.now();
    child.kill('SIGTERM');
    assert.equal((await waiting).status, 202);
    assert.match(await stream.text(), /event: queued/);
    assert.equal(await ended, 0);
    assert.ok(performance.now() - startedMs < 20_000, 'the caller had asked for 30 s');
  });

  it('refuses a Redis that can lose jobs with exit code 78 and the way out, unless told otherwise', async () => {
    const redis = new Redis(server.url);
    await redis.config('SET', 'appendfsync', 'everysec');
    const refused = await start();
    assert.equal(await refused.ended, 78);
    assert.match(refused.errors(), /appendfsync is "everysec"; it must be "always"[\s\S]*MILLRACE_UNSAFE_REDIS=1/);
    const forced = await start({ MILLRACE_UNSAFE_REDIS: '1' });
    await listening();
    forced.child.kill('SIGTERM');
    await forced.ended;
    await redis.config('SET', 'appendfsync', 'always');
    redis.disconnect();
  });
});
