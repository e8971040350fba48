/** What an operator sees of queues, admission and outcomes on the API's own metrics. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { keys } from '../shared/jobs/keys.ts';
import { startJob } from '../shared/testing/claim-job.ts';
import { startTestRedis, type TestRedis } from '../shared/testing/redis.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { Client } from './testing/client.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';

describe("the API's metrics", () => {
  let server: TestRedis;
  let api: TestApi;
  let client: Client;
  before(async () => {
    server = await startTestRedis();
    api = await startTestApi(server.url, { env: { MILLRACE_QUEUE_MAX: '4' } });
    client = new Client(api.url);
  });
  after(async () => {
    await api.close();
    await server.stop();
  });

  /** Of the first series whose line holds all of these. */
  const read = async (name: string, ...labels: string[]) => {
    const line = (await api.registry.metrics())
      .split('\n')
      .find((each) => each.startsWith(`${name}{`) && labels.every((label) => each.includes(label)));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
  };
  const seen = (what: string, value: number, name: string, ...labels: string[]) =>
    waitUntil(what, async () => (await read(name, ...labels)) === value);

  it('count a canceled job by its open items, with its class', async () => {
    const { job } = await client.submit({ model: 'ner', inputs: ['a', 'b', 'c'], priority: 'low' });
    const ref = { tenant: 'default', id: job.id };
    await startJob(api.redis, ref);
    await api.dependencies.store.finish([{ ...ref, kind: 'item', index: 0, status: 'succeeded', fragment: '1' }]);
    await client.ask(`/v1/jobs/${job.id}/cancel`, { method: 'POST' });
    await client.ask(`/v1/jobs/${job.id}/cancel`, { method: 'POST' });
    assert.equal(await read('inference_items_total', 'class="low"', 'outcome="canceled"', 'model="ner"'), 2);
  });

  it('count an expired job, though no worker ran', async () => {
    await client.submit({ model: 'ner', input: 'x', expires_in: 0.01 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const ranAt = () => read('inference_duty_last_run_timestamp_seconds', 'duty="expire"');
    const beforeAt = (await ranAt()) ?? 0;
    await api.duties.run('expire');
    assert.equal(await read('inference_items_total', 'outcome="expired"'), 1);
    assert.ok(((await ranAt()) ?? 0) > beforeAt && Math.abs(Date.now() / 1000 - beforeAt) < 60);
  });

  it('say that admission is closed, by reason and number of queues, and how much the busiest tenant has', async () => {
    assert.equal(await read('inference_admission_closed', 'reason="queue-full"'), 0);
    for (let i = 0; i < 5; i++) await client.submit({ model: 'photos', input: { data: onePixel } });
    await seen('one queue is full', 1, 'inference_admission_closed', 'reason="queue-full"');
    await seen('the busiest tenant has four', 4, 'inference_tenant_jobs_max');
    assert.equal(await read('inference_admission_refused_total', 'reason="queue-full"'), 1);
    assert.equal(
      await read('inference_admission_refused_total', 'reason="tenant-full"'),
      0,
      'it is there from the start',
    );
  });

  it('tell the age of the oldest, of those that wait and of those that are claimed', async () => {
    await waitUntil(
      'one waits',
      async () => ((await read('inference_queue_oldest_seconds', 'queue="photos.normal"', 'state="waiting"')) ?? 0) > 0,
    );
    const base = `${keys.queuePrefix}:photos.normal`;
    const [oldest] = await api.redis.zrange(`${base}:prioritized`, '0', '0');
    await api.redis.lpush(`${base}:active`, oldest as string);
    await waitUntil(
      'one is claimed',
      async () => ((await read('inference_queue_oldest_seconds', 'queue="photos.normal"', 'state="claimed"')) ?? 0) > 0,
    );
  });

  it('tell who can run a model, and dead letters, while no worker lives', async () => {
    assert.equal(await read('inference_model_workers', 'model="asr"', 'state="ready"'), 0);
    const state = JSON.stringify({ state: 'ready', version: '1', device: 'cpu', at: new Date().toISOString() });
    await api.redis.hset(keys.modelStates, 'asr/w1', state);
    await api.redis.set(keys.workerAlive('w1'), '1', 'PX', 60_000);
    await api.redis.zadd(keys.dead, Date.now() - 60_000, 'default/job_1');
    await seen('the worker is there', 1, 'inference_model_workers', 'model="asr"', 'state="ready"');
    await seen('the dead letter is there', 1, 'inference_dead_letter_jobs');
    assert.ok(((await read('inference_dead_letter_oldest_seconds')) ?? 0) >= 60);
  });
});

const onePixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
