/** Events that were given up, or whose URL had said 410, sent again because somebody asked. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deliveryJobId, readDeliveries } from '../../shared/jobs/deliveries.ts';
import { keys } from '../../shared/jobs/keys.ts';
import { enableHook, listDisabledHooks, redeliverEvent } from '../../shared/jobs/redeliver.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { startReceiver, verify } from './testing/receiver.ts';
import { type Delivery, WebhookLab } from './testing/webhook-lab.ts';

let lab: WebhookLab;
let delivery: Delivery;
before(async () => {
  lab = await WebhookLab.start();
  delivery = lab.startDelivery({ schedule: [0, 0.02] });
});
after(async () => {
  await delivery.stop();
  await lab.stop();
});

/** Of the outcome, after queued and processing. */
const seq = 3;
const askAgain = (job: { tenant: string; id: string }) => redeliverEvent(lab.redis, lab.store, job, seq);
const attempts = async (job: { tenant: string; id: string }) =>
  (await readDeliveries(lab.redis, job)).map(({ attempt, status_code }) => [attempt, status_code]);

test('a given-up event goes through again under the same id, and its attempts count on', async () => {
  const receiver = await startReceiver((response) => response.writeHead(500).end());
  const job = await lab.runJob(receiver.url);
  const failed = `${keys.queuePrefix}:webhooks:failed`;
  const isDead = async () => (await lab.redis.zscore(failed, deliveryJobId(job.id, seq))) !== null;
  await waitUntil('it is given up', isDead);
  const before = await lab.redis.ttl(keys.finished('default', job.id));
  await lab.redis.expire(keys.finished('default', job.id), 100);
  receiver.answer = (response) => response.end();
  assert.equal(await askAgain(job), 'queued');
  assert.equal(await isDead(), false);
  await waitUntil('it is delivered', () => receiver.of(job.id).length > 2);
  const got = receiver.of(job.id);
  assert.equal(new Set(got.map(({ headers }) => headers['webhook-id'])).size, 1);
  for (const one of got) verify(one, job.secret);
  await waitUntil('the last attempt is recorded', async () => (await attempts(job)).length === 3);
  assert.deepEqual(await attempts(job), [
    [1, 500],
    [2, 500],
    [3, 200],
  ]);
  assert.ok(before > 100);
  assert.ok((await lab.redis.ttl(keys.finished('default', job.id))) <= 100, 'asking again must not prolong its life');
  await receiver.stop();
});

test('an event that is still being tried is left alone', async () => {
  const slow = lab.startDelivery({ schedule: [0, 60] });
  await delivery.stop();
  const receiver = await startReceiver((response) => response.writeHead(500).end());
  const job = await lab.runJob(receiver.url);
  await waitUntil('it was tried', async () => (await attempts(job)).length === 1);
  assert.equal(await askAgain(job), 'under-way');
  await receiver.stop();
  await slow.stop();
  delivery = lab.startDelivery({ schedule: [0, 0.02] });
});

test('a URL that said 410 is off until it is turned on again', async () => {
  const receiver = await startReceiver((response) => response.writeHead(410).end());
  const job = await lab.runJob(receiver.url);
  await waitUntil('it is off', async () => (await listDisabledHooks(lab.redis, 'default')).includes(receiver.url));
  await waitUntil('the attempt is recorded', async () => (await attempts(job)).length === 1);
  assert.equal(await askAgain(job), 'disabled');
  assert.equal(await enableHook(lab.redis, 'other', receiver.url), false, 'another tenant has its own');
  assert.equal(await enableHook(lab.redis, 'default', receiver.url), true);
  assert.deepEqual(await listDisabledHooks(lab.redis, 'default'), []);
  receiver.answer = (response) => response.end();
  await waitUntil('its queue has let go of it', async () => (await askAgain(job)) === 'queued');
  await waitUntil('it arrives', () => receiver.of(job.id).length === 2);
  await receiver.stop();
});

test('nothing is sent of an unknown event, or of a job that is gone', async () => {
  const receiver = await startReceiver();
  const job = await lab.runJob(receiver.url);
  assert.equal(await redeliverEvent(lab.redis, lab.store, job, 2), 'unknown', 'the webhook wants the outcome only');
  assert.equal(await redeliverEvent(lab.redis, lab.store, job, 9), 'unknown');
  assert.equal(await redeliverEvent(lab.redis, lab.store, { tenant: 'other', id: job.id }, seq), 'gone');
  await receiver.stop();
});
