/**
 * Metrics stay as many as models, classes and reasons are, whatever callers send: 10,000 jobs of 100 tenants, with
 * webhooks, faults and names of their own, leave no trace of any of them in the text that Prometheus reads.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Job } from '../../shared/jobs/job.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { type RunningSystem, startSystem } from '../system/running-system.ts';

const model = 'starter-ner-groceries';
const jobs = 10_000;
const clientsAtOnce = 32;
const tenants = Array.from({ length: 100 }, (_, number) => `tenant-of-test-${number}`);
const priorities = ['high', 'normal', 'low'] as const;
const keyOf = (tenant: string) => `key-of-${tenant}`;
/** Of this system, with room: it has about a thousand. */
const seriesMax = 2500;
/**
 * These come with time, not with jobs: seven duties, Node's few kinds of collections, requests and resources, and drift, which
 * is looked at now and then (ten labels a model).
 */
const byTheClock = /^(inference_duty_|inference_prediction_(drift_psi|label_share)|nodejs_)/;

describe('the number of series', { timeout: 600_000 }, () => {
  let system: RunningSystem;
  const receiver = createServer((request, response) => request.resume().on('end', () => response.end()));
  before(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const env = {
      MILLRACE_API_KEYS: tenants.map((tenant) => `${tenant}=${keyOf(tenant)}`).join(','),
      MILLRACE_ALLOW_HOSTS: `127.0.0.1:${(receiver.address() as AddressInfo).port}`,
      OTEL_TRACES_EXPORTER: 'none',
    };
    system = await startSystem({ models: [model], key: keyOf(tenants[0] as string), env });
    // The log writer starts some seconds after everything else.
    await waitUntil('every process is there', async () => /^process_cpu.*role="log"/m.test(await metrics()), 180_000);
  });
  after(async () => {
    await system?.stop();
    receiver.closeAllConnections();
    receiver.close();
  });

  it(`is the same after ${jobs} jobs of ${tenants.length} tenants as after the first thousand of ten`, async (t) => {
    await send(0, 1000, 10);
    await cancelTooLate();
    for (const priority of priorities) await cancelInTime(priority);
    const early = await series();
    await send(1000, jobs, tenants.length);
    const late = await series();
    const added = [...late].filter((name) => !early.has(name) && !byTheClock.test(name));
    assert.deepEqual(added, []);
    t.diagnostic(`${late.size} series`);
    assert.ok(late.size < seriesMax, `${late.size} series`);
  });

  it('says nothing of tenants, jobs, keys, URLs or what was sent', async () => {
    const text = await metrics();
    for (const secret of ['tenant-of-test', 'key-of-', 'job_0', '127.0.0.1', '/hook', 'own-model', 'own-route', 'хлеб'])
      assert.ok(!text.includes(secret), `${secret} is in the metrics`);
  });

  async function send(from: number, to: number, tenantCount: number): Promise<void> {
    let next = from;
    const sending = async () => {
      for (let number = next++; number < to; number = next++)
        await submit(number, tenants[number % tenantCount] as string);
    };
    await Promise.all(Array.from({ length: clientsAtOnce }, sending));
    await waitUntil('all of them ended', async () => (await unfinished()) === 0, 360_000);
    await waitUntil(
      'all events were delivered',
      async () => !/inference_webhook_queue_jobs\{state="(wait|active)".*\} [1-9]/.test(await metrics()),
    );
  }

  /** One in fifty has a webhook of its own, one in a hundred is canceled, names a model or a path that there is not. */
  async function submit(number: number, tenant: string): Promise<void> {
    const headers = { authorization: `Bearer ${keyOf(tenant)}`, 'content-type': 'application/json' };
    const { port } = receiver.address() as AddressInfo;
    const body = {
      model: number % 100 === 7 ? `own-model-${number}` : model,
      input: `хлеб бородинский ${number}`,
      priority: priorities[number % priorities.length],
      ...(number % 50 === 1 && { webhook: { url: `http://127.0.0.1:${port}/hook/${number}`, events: ['succeeded'] } }),
    };
    const response = await fetch(`${system.url}/v1/jobs`, { method: 'POST', headers, body: JSON.stringify(body) });
    const { id } = (await response.json()) as { id?: string };
    if (number % 100 === 3) await discard(`/v1/jobs/${id}/cancel`, { method: 'POST', headers });
    if (number % 100 === 5) await discard(`/own-route-${number}`, { headers });
  }

  /** A cancellation that meets a job that has ended answers 409: with luck none of the first thousand did. */
  async function cancelTooLate(): Promise<void> {
    const headers = { authorization: `Bearer ${keyOf(tenants[1] as string)}` };
    const page = await fetch(`${system.url}/v1/jobs?status=succeeded&limit=1`, { headers });
    const { data } = (await page.json()) as { data: { id: string }[] };
    await discard(`/v1/jobs/${data[0]?.id}/cancel`, { method: 'POST', headers });
  }

  /** A job of one text has often ended before its cancellation comes: with luck none of a class was in time. */
  async function cancelInTime(priority: (typeof priorities)[number]): Promise<void> {
    const headers = { authorization: `Bearer ${keyOf(tenants[1] as string)}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ model, priority, inputs: Array.from({ length: 100 }, (_, n) => `хлеб ${n}`) });
    await waitUntil('a cancellation is in time', async () => {
      const { id } = (await (await fetch(`${system.url}/v1/jobs`, { method: 'POST', headers, body })).json()) as Job;
      const answer = await fetch(`${system.url}/v1/jobs/${id}/cancel`, { method: 'POST', headers });
      return ((await answer.json()) as Partial<Job>).status === 'canceled';
    });
  }

  async function discard(path: string, init: RequestInit): Promise<void> {
    await (await fetch(`${system.url}${path}`, init)).arrayBuffer();
  }

  async function metrics(): Promise<string> {
    return await (await fetch(`${system.adminUrl}/metrics`)).text();
  }

  async function unfinished(): Promise<number> {
    const depths = [...(await metrics()).matchAll(/^inference_queue_depth\{.*\} (\d+)$/gm)];
    return depths.length === 0 ? -1 : depths.reduce((sum, [, depth]) => sum + Number(depth), 0);
  }

  /** Name and labels of each. */
  async function series(): Promise<Set<string>> {
    const lines = (await metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' '))));
  }
});
