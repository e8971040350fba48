/** What a tenant can do about webhooks that did not arrive. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { startReceiver } from '../../workers/webhooks/testing/receiver.ts';
import { type Delivery, WebhookLab } from '../../workers/webhooks/testing/webhook-lab.ts';
import { Client } from '../testing/client.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

describe('webhooks that did not arrive', () => {
  let webhooks: WebhookLab;
  let delivery: Delivery;
  let api: TestApi;
  let ours: Client;
  let theirs: Client;
  before(async () => {
    webhooks = await WebhookLab.start();
    delivery = webhooks.startDelivery({ schedule: [0, 0.01] });
    const env = { MILLRACE_API_KEYS: 'ours=ours-key-0000000001,theirs=theirs-key-00000002' };
    api = await startTestApi(webhooks.server.url, { env });
    ours = new Client(api.url, 'ours-key-0000000001');
    theirs = new Client(api.url, 'theirs-key-00000002');
  });
  after(async () => {
    await api.close();
    await delivery.stop();
    await webhooks.stop();
  });
  const post = (client: Client, path: string, body?: object) =>
    client.ask(path, { method: 'POST', ...(body && { body: JSON.stringify(body) }) });
  const attemptsOf = async (id: string) =>
    ((await ours.ask(`/v1/jobs/${id}/deliveries`)).job as unknown as { data: { next_at: string | null }[] }).data;

  it('are sent again by their owner, once nothing is tried any more', async () => {
    const receiver = await startReceiver((response) => response.writeHead(500).end());
    const { id } = await webhooks.runJob(receiver.url, { tenant: 'ours' });
    const again = `/v1/jobs/${id}/deliveries/3/redeliver`;
    assert.equal((await post(theirs, again)).slug, 'not-found');
    await waitUntil('it is given up', async () => (await attemptsOf(id)).at(-1)?.next_at === null);
    receiver.answer = (response) => response.end();
    await waitUntil('its queue let go of it', async () => (await post(ours, again)).status === 202);
    await waitUntil('it arrives', () => receiver.of(id).length === 3);
    for (const seq of ['2', '9', 'x']) {
      assert.equal((await post(ours, `/v1/jobs/${id}/deliveries/${seq}/redeliver`)).slug, 'not-found', seq);
    }
    await receiver.stop();
  });

  it('were stopped by a 410, until their owner turns the URL on', async () => {
    const receiver = await startReceiver((response) => response.writeHead(410).end());
    const { id } = await webhooks.runJob(receiver.url, { tenant: 'ours' });
    const listed = async (client: Client) =>
      ((await client.ask('/v1/webhooks/disabled')).job as unknown as { data: { url: string }[] }).data;
    await waitUntil('it is off', async () => (await listed(ours)).length === 1);
    assert.deepEqual(await listed(ours), [{ url: receiver.url }]);
    assert.deepEqual(await listed(theirs), []);
    assert.equal((await post(ours, `/v1/jobs/${id}/deliveries/3/redeliver`)).slug, 'webhook-disabled');
    const enable = async (client: Client) => (await post(client, '/v1/webhooks/enable', { url: receiver.url })).job;
    assert.deepEqual(await enable(theirs), { url: receiver.url, was_disabled: false });
    assert.deepEqual(await enable(ours), { url: receiver.url, was_disabled: true });
    assert.deepEqual(await listed(ours), []);
    assert.equal((await post(ours, '/v1/webhooks/enable', { uri: 'x' })).slug, 'validation-failed');
    await receiver.stop();
  });
});
