/** What an operator can do about dead letters, and that each job keeps the one outcome it has. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { keys } from '../../shared/jobs/keys.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import { startJob } from '../../shared/testing/claim-job.ts';
import { RecordedSpans } from '../../shared/testing/recorded-spans.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { startReceiver } from '../../workers/webhooks/testing/receiver.ts';
import { type Delivery, WebhookLab } from '../../workers/webhooks/testing/webhook-lab.ts';
import { runJob } from '../testing/fake-worker.ts';
import { pngBytes } from '../testing/media.ts';
import { formBody, rawRequest, sendRaw } from '../testing/raw-request.ts';
import { adminToken, ask, type BoardLab, keptTexts, Operator, startBoardLab } from './testing/board-lab.ts';

describe('dead letters', () => {
  let webhooks: WebhookLab;
  let delivery: Delivery;
  let lab: BoardLab;
  let operator: Operator;
  const tracing = new RecordedSpans();
  before(async () => {
    webhooks = await WebhookLab.start();
    delivery = webhooks.startDelivery({ schedule: [0, 0.01] });
    const env = { MILLRACE_ALLOW_HOSTS: '127.0.0.1' };
    lab = await startBoardLab(webhooks.server.url, {}, { env, tracing });
    operator = new Operator(lab.url);
    await operator.logIn();
  });
  beforeEach(async () => {
    await lab.api.redis.del(keys.dead);
  });
  after(async () => {
    await lab.close();
    await delivery.stop();
    await webhooks.stop();
  });

  const retry = async (ref: JobRef) => {
    const page = await operator.act('actions/retry', { ...ref });
    assert.equal(page.status, 303, page.text);
    return { tenant: ref.tenant, id: String(page.headers['location']).split('/').at(-1) ?? '' };
  };
  const eventsOf = async (ref: JobRef) => {
    const record = await lab.api.dependencies.store.read(ref);
    assert.ok(record && record !== 'gone');
    return record;
  };

  it('runs a job again as a new one of the same request and input; the old outcome stays', async () => {
    const body = { model: 'ner', input: 'words', metadata: { a: 'b' }, priority: 'low', retention: 900 };
    const old = await lab.setAside(body);
    assert.match((await operator.get('/admin/dead-letters')).text, /Jobs set aside \(1\)[\s\S]*It was set aside\./);
    const again = await retry(old);
    assert.notEqual(again.id, old.id);
    const seen: string[] = [];
    await runJob(lab.api.redis, again, (input) => seen.push(...keptTexts([input])));
    assert.deepEqual(seen, ['words']);
    const [oldJob, newJob] = [(await lab.client.read(old.id)).job, (await lab.client.read(again.id)).job];
    assert.deepEqual([oldJob.status, newJob.status], ['failed', 'succeeded']);
    assert.equal(newJob.retried_from, old.id);
    assert.deepEqual([newJob.metadata, newJob.priority], [{ a: 'b' }, 'low']);
    for (const ref of [old, again]) {
      const outcomes = (await eventsOf(ref)).events.filter(({ name }) => !['queued', 'processing'].includes(name));
      assert.equal(outcomes.length, 1, 'one outcome per job');
    }
    assert.match((await operator.get('/admin/dead-letters')).text, /Jobs set aside \(0\)/);
    assert.ok((await operator.get(`/admin/jobs/default/${old.id}`)).text.includes(again.id), 'the old one leads to it');
    assert.ok((await operator.get(`/admin/jobs/default/${again.id}`)).text.includes(old.id), 'and back');
  });

  it('begins a trace with the retry, which the new job goes on under and the old one is linked from', async () => {
    const old = await lab.setAside();
    const oldTrace = (await lab.client.read(old.id)).job.trace_id;
    tracing.spans.splice(0);
    const again = await retry(old);
    await waitUntil('the request is recorded', () => tracing.named('POST /admin/actions/:action').length > 0);
    const [root] = tracing.named('POST /admin/actions/:action');
    assert.equal((await lab.client.read(again.id)).job.trace_id, root?.traceId);
    assert.deepEqual([root?.attributes?.['millrace.job.id'], root?.parentId], [again.id, undefined]);
    assert.deepEqual(
      root?.links?.map(({ traceId }) => traceId),
      [oldTrace],
    );
    assert.deepEqual(
      tracing.named('admission').map(({ parentId }) => parentId),
      [root?.spanId],
    );
    const line = lab.logs.map((each) => JSON.parse(each)).find((each) => each.again === again.id);
    assert.equal(line?.trace, root?.traceId);
    await runJob(lab.api.redis, again);
  });

  it('gives one new job, however often and by how many it is asked', async () => {
    const old = await lab.setAside();
    const form = { ...old, form_token: await operator.formToken() };
    const one = () =>
      ask(`${lab.url}/admin/actions/retry`, { method: 'POST', form, headers: { cookie: operator.cookie } });
    const pages = [...(await Promise.all([one(), one(), one(), one()])), await one()];
    assert.equal(new Set(pages.map(({ headers }) => headers['location'])).size, 1);
    assert.equal(await lab.api.redis.hget(keys.live, 't:default'), '1');
    await runJob(lab.api.redis, await retry(old));
  });

  it('gives the new job files of its own', async () => {
    const { type, bytes } = formBody({ model: 'photos' }, [{ bytes: pngBytes(8, 8) }]);
    const sent = await sendRaw(
      lab.api.port,
      rawRequest({ method: 'POST', headers: { 'Content-Type': type }, body: bytes }),
    );
    const old = { tenant: 'default', id: String(sent.body['id']) };
    const { store, blobs } = lab.api.dependencies;
    await startJob(lab.api.redis, old);
    await store.finish([{ ...old, kind: 'item', status: 'failed', fragment: '{}', deadLetter: true }]);
    const again = await retry(old);
    await blobs.remove(old);
    const { input } = await startJob(lab.api.redis, again);
    const [item] = input;
    assert.equal(item?.kind, 'blob');
    assert.ok(await blobs.pathOf(item?.kind === 'blob' ? item.blob : ''));
    await store.finish([{ ...again, kind: 'item', status: 'succeeded', fragment: '1' }]);
    const third = await lab.setAside();
    await lab.api.redis.del(keys.finished('default', third.id));
    const page = await operator.act('actions/retry', { ...third });
    assert.equal(page.status, 410);
    assert.match(page.text, /retention is over/);
  });

  it('says so when a file of the input is gone, and admits nothing', async () => {
    const { type, bytes } = formBody({ model: 'photos' }, [{ bytes: pngBytes(8, 8) }]);
    const sent = await sendRaw(
      lab.api.port,
      rawRequest({ method: 'POST', headers: { 'Content-Type': type }, body: bytes }),
    );
    const old = { tenant: 'default', id: String(sent.body['id']) };
    const { store, blobs } = lab.api.dependencies;
    await startJob(lab.api.redis, old);
    await store.finish([{ ...old, kind: 'item', status: 'failed', fragment: '{}', deadLetter: true }]);
    await blobs.remove(old);
    const page = await operator.act('actions/retry', { ...old });
    assert.equal(page.status, 410);
    assert.match(page.text, /A file of its input is no longer there/);
    assert.equal(await lab.api.redis.hget(keys.live, 't:default'), '0');
  });

  it('does not run again what was not set aside, or is of nobody', async () => {
    const { job } = await lab.client.submit({ model: 'ner', input: 'x' });
    const ref = { tenant: 'default', id: job.id };
    assert.equal((await operator.act('actions/retry', { ...ref })).status, 409);
    await runJob(lab.api.redis, ref);
    assert.equal((await operator.act('actions/retry', { ...ref })).status, 410);
    assert.equal((await operator.act('actions/retry', { ...ref, tenant: 'other' })).status, 410);
    assert.equal((await operator.act('actions/retry', { id: 'job_1', tenant: 'default' })).status, 404);
    assert.equal((await operator.act('actions/constructor', { ...ref })).status, 404);
  });

  it('dismisses a job: its outcome stays what its owner reads', async () => {
    const ref = await lab.setAside();
    const page = await operator.act('actions/dismiss-job', { ...ref });
    assert.equal(page.headers['location'], '/admin/dead-letters?done=dismissed');
    assert.match((await operator.get('/admin/dead-letters?done=dismissed')).text, /Dismissed\./);
    assert.equal((await lab.client.read(ref.id)).job.status, 'failed');
    assert.equal(await lab.api.redis.zcard(keys.dead), 0);
    assert.ok(lab.logs.some((line) => line.includes('operator dismissed') && line.includes(ref.id)));
  });

  it('sends a given-up event again, to a script as to a person, and dismisses one', async () => {
    const receiver = await startReceiver((response) => response.writeHead(500).end());
    const jobs = [await webhooks.runJob(receiver.url), await webhooks.runJob(receiver.url)];
    const dead = `${keys.queuePrefix}:webhooks:failed`;
    await waitUntil('both are given up', async () => (await lab.api.redis.zcard(dead)) === 2);
    const { text } = await operator.get('/admin/dead-letters');
    assert.match(text, /Webhook events given up \(2\)/);
    assert.ok(text.includes(new URL(receiver.url).origin) && !text.includes('/hook<'), 'the host, not the path');
    assert.match(text, /<td class="num">2<\/td><td>500<\/td>/);
    receiver.answer = (response) => response.end();
    const [first, second] = jobs;
    const form = { tenant: 'default', id: first?.id ?? '', seq: '3' };
    const authorization = `Bearer ${adminToken}`;
    const page = await ask(`${lab.url}/admin/actions/redeliver`, { method: 'POST', form, headers: { authorization } });
    assert.equal(page.headers['location'], '/admin/dead-letters?done=queued#events');
    await waitUntil('it arrives', () => receiver.of(form.id).length === 3);
    const gone = await operator.act('actions/dismiss-event', { queued_id: `${second?.id}-3` });
    assert.equal(gone.headers['location'], '/admin/dead-letters?done=dismissed#events');
    assert.equal(await lab.api.redis.zcard(dead), 0);
    await receiver.stop();
  });

  it('turns a URL on that had answered 410', async () => {
    const receiver = await startReceiver((response) => response.writeHead(410).end());
    await webhooks.runJob(receiver.url);
    const off = keys.disabledHooks('default');
    await waitUntil('it is off', async () => (await lab.api.redis.scard(off)) === 1);
    const { text } = await operator.get('/admin/dead-letters');
    const urlHash = /name="url_hash" value="([^"]+)"/.exec(text)?.[1] ?? '';
    const page = await operator.act('actions/enable-url', { tenant: 'default', url_hash: urlHash });
    assert.equal(page.headers['location'], '/admin/dead-letters?done=enabled#urls');
    assert.equal(await lab.api.redis.scard(off), 0);
    await receiver.stop();
  });
});
