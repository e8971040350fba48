/** What must happen though nobody asks. */
import assert from 'node:assert/strict';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { mintJobId } from '../../shared/jobs/job-id.ts';
import { keys, queueName } from '../../shared/jobs/keys.ts';
import { startJob } from '../../shared/testing/claim-job.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { Client } from '../testing/client.ts';
import { runJob } from '../testing/fake-worker.ts';
import { pngBytes } from '../testing/media.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

describe('duties', () => {
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
  const inQueue = async (id: string) =>
    (await api.redis.zscore(`${keys.queuePrefix}:${queueName('ner', 'normal')}:prioritized`, id)) !== null;
  const submit = async (extra: object = {}) => {
    const { job } = await client.submit({ model: 'ner', input: 'x', ...extra });
    return job.id;
  };
  const loseFromQueue = (id: string) => api.dependencies.queues.get('ner', 'normal').remove(id);

  it('has an age from the start, so that one that is never done grows old', async () => {
    const text = await api.registry.metrics();
    for (const duty of ['expire', 'sweep-blobs', 'find-lost', 'trim-tombstones'])
      assert.match(text, new RegExp(`^inference_duty_last_run_timestamp_seconds\\{.*duty="${duty}".*\\} \\d`, 'm'));
  });

  it('finds a job again that is in no queue', async () => {
    const id = await submit();
    await loseFromQueue(id);
    assert.equal(await api.duties.run('find-lost'), 0, 'it is too young');
    await api.redis.hset(keys.job('default', id), 'c', Date.now() - 120_000);
    assert.equal(await api.duties.run('find-lost'), 1);
    assert.equal(await inQueue(id), true);
  });

  it('expires what did not start in time, though no worker runs, and leaves what started', async () => {
    const [late, started] = [await submit({ expires_in: 0.05 }), await submit({ expires_in: 60 })];
    await new Promise((resolve) => setTimeout(resolve, 60));
    await startJob(api.redis, { tenant: 'default', id: started });
    await api.redis.zadd(keys.startBy, 1, `default/${started}`);
    assert.equal(await api.duties.run('expire'), 1);
    const { job } = await client.read(late);
    assert.deepEqual([job.status, job.error?.type], ['expired', '/problems/expired']);
    assert.equal((await client.read(started)).job.status, 'processing');
    assert.equal(await inQueue(late), false);
    assert.equal(await api.redis.zcard(keys.startBy), 0);
  });

  it('removes blobs when retention is over, files of cut uploads after an hour, and folders of jobs that never were', async () => {
    const data = pngBytes(8, 8).toString('base64');
    const { job } = await client.submit({ model: 'photos', input: { data } });
    const blobs = async () =>
      (await readdir(join(api.dataDir, 'blobs'), { recursive: true })).filter((path) => /\/\d+$/.test(path));
    await api.duties.run('sweep-blobs');
    await api.duties.run('sweep-orphans');
    assert.equal((await blobs()).length, 1, 'a live job keeps its blobs');
    await runJob(api.redis, { tenant: 'default', id: job.id });
    assert.equal(await api.duties.run('sweep-blobs'), 0);
    await api.redis.zadd(keys.blobs, 1, `default/${job.id}`);
    assert.equal(await api.duties.run('sweep-blobs'), 1);
    assert.equal((await blobs()).length, 0);

    const stale = join(api.dataDir, 'incoming', 'stale');
    await writeFile(stale, 'x');
    await writeFile(join(api.dataDir, 'incoming', 'fresh'), 'x');
    await utimes(stale, new Date(0), new Date(0));
    assert.equal(await api.duties.run('sweep-incoming'), 1);
    assert.deepEqual(await readdir(join(api.dataDir, 'incoming')), ['fresh']);

    const orphan = join(api.dataDir, 'blobs', 'default', '2026-01-01T00', mintJobId());
    await mkdir(orphan, { recursive: true });
    await writeFile(join(orphan, '0'), 'x');
    assert.equal(await api.duties.run('sweep-orphans'), 1);
    assert.deepEqual((await readdir(join(api.dataDir, 'blobs', 'default'))).includes('2026-01-01T00'), false);
  });

  it('forgets ids a day after their retention', async () => {
    const id = await submit();
    await runJob(api.redis, { tenant: 'default', id });
    await api.duties.run('trim-tombstones');
    assert.equal((await client.read(id)).status, 200);
    await api.redis.del(keys.finished('default', id));
    await api.redis.zadd(keys.index('default'), Date.now() - 24 * 3_600_000, id);
    await api.duties.run('trim-tombstones');
    assert.equal((await client.read(id)).status, 410);
    await api.redis.zadd(keys.index('default'), Date.now() - 26 * 3_600_000, id);
    await api.duties.run('trim-tombstones');
    assert.equal((await client.read(id)).status, 404);
  });

  it('keeps in the list what waits or is kept longer than a tombstone lives', async () => {
    const [waiting, kept] = [await submit(), await submit({ retention: 2_000_000 })];
    await runJob(api.redis, { tenant: 'default', id: kept });
    for (const id of [waiting, kept]) await api.redis.zadd(keys.index('default'), Date.now() - 26 * 3_600_000, id);
    await api.duties.run('trim-tombstones');
    const { data } = (await client.ask('/v1/jobs')).job as unknown as { data: { id: string }[] };
    const listed = data.map(({ id }) => id);
    assert.deepEqual([listed.includes(waiting), listed.includes(kept)], [true, true]);
  });

  it('is done by one process at a time', async () => {
    await api.redis.set(keys.lease('expire'), 'somebody else', 'PX', 60_000);
    const id = await submit({ expires_in: 0.01 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(await api.duties.run('expire'), 0);
    await api.redis.del(keys.lease('expire'));
    assert.equal(await api.duties.run('expire'), 1);
    assert.equal((await client.read(id)).job.status, 'expired');
  });
});
