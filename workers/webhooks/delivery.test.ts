import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { readDeliveries } from '../../shared/jobs/deliveries.ts';
import { keys } from '../../shared/jobs/keys.ts';
import { readTenantSecret } from '../../shared/jobs/webhook-secret.ts';
import { endProcess } from '../../shared/testing/end-process.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { type Received, type Receiver, startReceiver, verify } from './testing/receiver.ts';
import { type Delivery, mintSecret, WebhookLab } from './testing/webhook-lab.ts';

let lab: WebhookLab;
const open: (Receiver | Delivery)[] = [];

before(async () => {
  lab = await WebhookLab.start();
});
after(async () => {
  await lab.stop();
});
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
  await lab.redis.flushall();
});

const receive = async (...args: Parameters<typeof startReceiver>) => {
  const receiver = await startReceiver(...args);
  open.unshift(receiver);
  return receiver;
};
const deliver = (...args: Parameters<WebhookLab['startDelivery']>) => {
  const delivery = lab.startDelivery(...args);
  open.push(delivery);
  return delivery;
};
const untilReceived = (receiver: Receiver, count: number, timeoutMs = 30_000) =>
  waitUntil(`${count} deliveries`, () => receiver.received.length >= count, timeoutMs);
const idOf = (received: Received) => received.headers['webhook-id'];
/** No event waits in the outbox or the queue. */
const untilQuiet = async ({ queue }: Delivery) =>
  waitUntil('quiet', async () => {
    const { wait = 0, active = 0, delayed = 0 } = await queue.getJobCounts('wait', 'active', 'delayed');
    return wait + active + delayed + (await lab.redis.xlen(keys.outbox)) === 0;
  });

test('each wanted event arrives once, signed, under an id of its own, with the trace', async () => {
  const receiver = await receive();
  const delivery = deliver();
  const secret = mintSecret();
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const job = await lab.admit({ url: receiver.url, events: ['queued', 'succeeded'], secret }, { traceparent });
  await untilReceived(receiver, 1);
  await lab.finish(job, [{ label: 'cat' }]);
  await untilReceived(receiver, 2);
  await untilQuiet(delivery);
  assert.deepEqual(
    receiver.received.map((received) => [idOf(received), received.event.type, received.event.data.status]),
    [
      [`msg_${job.id}_1`, 'job.queued', 'queued'],
      [`msg_${job.id}_3`, 'job.succeeded', 'succeeded'],
    ],
  );
  for (const received of receiver.received) {
    verify(received, secret);
    assert.equal(received.headers['traceparent'], traceparent);
    assert.equal(received.headers['content-type'], 'application/json');
  }
  assert.deepEqual(receiver.received[1]?.event.data.output, [{ label: 'cat' }]);
  assert.throws(() => verify(receiver.received[0] as Received, mintSecret()));
});

test("without a secret of its own a job is signed with the tenant's, which stays the same", async () => {
  const receiver = await receive();
  deliver();
  for (const tenant of ['a', 'a', 'b']) {
    await lab.finish(await lab.admit({ url: receiver.url, events: ['succeeded'] }, { tenant }));
  }
  await untilReceived(receiver, 3);
  const [a, b] = [await readTenantSecret(lab.redis, 'a'), await readTenantSecret(lab.redis, 'b')];
  assert.notEqual(a, b);
  assert.match(a, /^whsec_[A-Za-z0-9+/]{43}=$/);
  const accepted = receiver.received.filter((received) => {
    try {
      verify(received, a);
      return true;
    } catch {
      return verify(received, b);
    }
  });
  assert.equal(accepted.length, 2);
});

test('receivers that fail, hang, redirect and reset at random get every event in the end, under one id each', async () => {
  let seed = 7;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
  const accepted = new Set<unknown>();
  const receiver = await receive((response, received) => {
    const dice = random();
    if (dice < 0.15) response.writeHead(500).end('no');
    else if (dice < 0.25) response.socket?.resetAndDestroy();
    else if (dice < 0.3)
      return; // hangs
    else if (dice < 0.4) response.writeHead(302, { location: '/hook' }).end();
    else {
      accepted.add(idOf(received));
      response.writeHead(204).end();
    }
  });
  const delivery = deliver({ schedule: [0, ...Array.from({ length: 30 }, () => 0.02)], timeoutMs: 200 });
  const jobs = await Promise.all(Array.from({ length: 100 }, () => lab.runJob(receiver.url)));
  await waitUntil('all accepted', () => accepted.size === jobs.length);
  await untilQuiet(delivery);
  for (const job of jobs) {
    const got = receiver.of(job.id);
    assert.ok(got.every((received) => idOf(received) === `msg_${job.id}_3`));
    for (const received of got) verify(received, job.secret);
    const attempts = await readDeliveries(lab.redis, job);
    assert.deepEqual(
      attempts.map(({ attempt }) => attempt),
      attempts.map((_, i) => i + 1),
    );
    assert.equal(attempts.at(-1)?.status_code, 204);
    assert.equal(attempts.at(-1)?.next_at, null);
  }
  assert.ok(receiver.received.length > jobs.length);
});

test('a receiver that never accepts ends among the dead letters, each attempt listed', async () => {
  const receiver = await receive((response) => response.writeHead(500).end('secret text'));
  const delivery = deliver({ schedule: [0, 0.02, 0.02] });
  const job = await lab.runJob(`${receiver.url}?token=t0ken`);
  await waitUntil('dead', async () => (await delivery.queue.getFailedCount()) === 1);
  const attempts = await readDeliveries(lab.redis, job);
  assert.deepEqual(
    attempts.map(({ seq, event, attempt, status_code, error }) => [seq, event, attempt, status_code, error]),
    [1, 2, 3].map((attempt) => [3, 'succeeded', attempt, 500, 'http-500']),
  );
  assert.ok(attempts[0]?.next_at !== null && attempts[2]?.next_at === null);
  assert.doesNotMatch(JSON.stringify(attempts), /t0ken|secret text/);
  const metrics = await delivery.registry.metrics();
  assert.match(metrics, /inference_webhook_deliveries_total\{result="dead".*\} 1/);
  assert.match(metrics, /inference_webhook_queue_jobs\{state="failed".*\} 1/);
  assert.equal(await lab.redis.hexists(keys.deliveries('default', job.id), 'p:3'), 0);
});

test('410 turns the URL off for its tenant, and no other', async () => {
  const receiver = await receive((response) => response.writeHead(410).end());
  const delivery = deliver();
  const job = await lab.runJob(receiver.url);
  await waitUntil('off', async () => (await lab.redis.sismember(keys.disabledHooks('default'), receiver.url)) === 1);
  const later = await lab.runJob(receiver.url);
  const other = await lab.runJob(receiver.url, { tenant: 'other' });
  await untilQuiet(delivery);
  assert.deepEqual([receiver.of(job.id).length, receiver.of(later.id).length, receiver.of(other.id).length], [1, 0, 1]);
  assert.equal((await readDeliveries(lab.redis, later))[0]?.error, 'disabled');
});

test('429 with Retry-After is waited for, by all events of that receiver', async () => {
  const receiver = await receive((response) => response.writeHead(429, { 'retry-after': '1' }).end());
  const delivery = deliver();
  const first = await lab.runJob(receiver.url);
  await untilReceived(receiver, 1);
  receiver.answer = (response) => response.end();
  const throttledAt = receiver.received[0]?.atMs ?? 0;
  const second = await lab.runJob(receiver.url);
  await untilReceived(receiver, 3);
  await untilQuiet(delivery);
  for (const { id } of [first, second]) assert.ok((receiver.of(id).at(-1)?.atMs ?? 0) - throttledAt >= 1000);
  // Waiting at the gate is no attempt.
  assert.equal((await readDeliveries(lab.redis, second)).length, 1);
});

test('half of the receivers hang for a minute; the others do not wait for them', async (t) => {
  const well = await Promise.all(Array.from({ length: 10 }, () => receive()));
  const hanging = await Promise.all(Array.from({ length: 10 }, () => receive(() => {})));
  deliver({ timeoutMs: 60_000, schedule: [0, 5] });
  const started = new Map<string, number>();
  for (let i = 0; i < 30; i++) {
    await Promise.all(
      [...hanging, ...well].map(async ({ url }) => {
        const job = await lab.runJob(url);
        started.set(job.id, performance.now());
      }),
    );
  }
  await waitUntil('the others', () => well.every(({ received }) => received.length === 30));
  const waits = well
    .flatMap(({ received }) => received.map(({ event, atMs }) => atMs - (started.get(event.data.id) ?? 0)))
    .sort((a, b) => a - b);
  const p99 = waits[Math.floor(waits.length * 0.99)] ?? 1e9;
  t.diagnostic(`p50 ${Math.round(waits[150] ?? 0)} ms, p99 ${Math.round(p99)} ms`);
  // 0.1 s on two cores that others used too. Who waits for one that hangs sees a minute.
  assert.ok(p99 < 20_000, `${p99}`);
  await Promise.all([...hanging, ...well].map((receiver) => receiver.stop()));
});

test('retries go on after retention is over, and end when the job is erased', async () => {
  const receiver = await receive((response) => response.writeHead(500).end());
  const delivery = deliver({ schedule: [0, ...Array.from({ length: 200 }, () => 0.05)] });
  const [kept, erased] = [await lab.runJob(receiver.url), await lab.runJob(receiver.url)];
  await waitUntil('tries', () => receiver.of(kept.id).length > 1 && receiver.of(erased.id).length > 1);
  await lab.redis.del(keys.finished('default', kept.id));
  assert.equal(await lab.store.read(kept), 'gone');
  assert.equal(await lab.store.erase(erased, null), true);
  const before = receiver.of(erased.id).length;
  receiver.answer = (response) => response.end();
  await untilQuiet(delivery);
  assert.equal(receiver.of(kept.id).at(-1)?.event.data.output !== null, true);
  assert.ok(receiver.of(erased.id).length <= before + 1); // one may have been under way
  assert.equal(await lab.redis.exists(keys.deliveries('default', erased.id)), 0);
});

test('a large output that waited for its webhook goes when its retention is over, not a week later', async () => {
  const receiver = await receive();
  const job = await lab.runJob(receiver.url);
  assert.equal(await lab.store.offload(job, async () => 'a-blob'), true);
  const dueInMs = async () => Number(await lab.redis.zscore(keys.blobs, `default/${job.id}`)) - Date.now();
  assert.ok((await dueInMs()) > 600_000_000, 'kept while it is unread');
  deliver();
  await untilReceived(receiver, 1);
  await waitUntil('it is due with the outcome', async () => Math.abs((await dueInMs()) - 600_000) < 30_000);
});

test('what a dead reader had read is taken over, and reading an entry twice queues it once', async () => {
  const receiver = await receive();
  await lab.redis.xgroup('CREATE', keys.outbox, 'delivery', '0', 'MKSTREAM');
  const job = await lab.runJob(receiver.url);
  const again = (await lab.redis.xrange(keys.outbox, '-', '+'))[0]?.[1] ?? [];
  await lab.redis.xadd(keys.outbox, '*', ...again);
  await lab.redis.xreadgroup('GROUP', 'delivery', 'dead', 'COUNT', 10, 'STREAMS', keys.outbox, '>');
  receiver.answer = (response) => setTimeout(() => response.end(), 300);
  const delivery = deliver();
  await untilReceived(receiver, 1);
  await untilQuiet(delivery);
  assert.equal(receiver.of(job.id).length, 1);
});

test('a URL that takes nothing keeps a bounded backlog, and what is refused is said on the job', async () => {
  const receiver = await receive((response) => response.writeHead(500).end());
  const bound = { max: 3, patienceMs: 0, tookLatelySeconds: 30 };
  // The three stay in the backlog for as long as a busy machine takes to bring a fourth.
  const delivery = deliver({ backlogBound: bound, schedule: [0, 5] });
  for (let i = 0; i < 3; i++) await lab.runJob(receiver.url);
  await untilReceived(receiver, 3);
  const refused = await lab.runJob(receiver.url);
  const elsewhere = await lab.runJob(`${receiver.url}/other`);
  await waitUntil('the other URL takes', () => receiver.of(elsewhere.id).length > 0);
  assert.equal(receiver.of(refused.id).length, 0);
  const [entry] = await readDeliveries(lab.redis, refused);
  assert.deepEqual([entry?.attempt, entry?.error], [0, 'backlog-full']);
  await untilQuiet(delivery);
  receiver.answer = (response) => response.end();
  const later = await lab.runJob(receiver.url);
  await waitUntil('room again', () => receiver.of(later.id).length === 1);
  // It takes events: a backlog now is ours, and nothing is refused.
  receiver.answer = (response) => setTimeout(() => response.end(), 100);
  const burst = await Promise.all(Array.from({ length: 20 }, () => lab.runJob(receiver.url)));
  await untilQuiet(delivery);
  assert.ok(burst.every(({ id }) => receiver.of(id).length === 1));
  const left = (await lab.redis.keys('*hook-backlog*')).filter((key) => !key.endsWith(':took'));
  assert.deepEqual(left, []);
});

test('an outage of Redis loses nothing and needs no restart', async () => {
  const receiver = await receive((response) => setTimeout(() => response.end(), 50));
  const delivery = deliver();
  const jobs: { id: string }[] = [];
  for (let i = 0; i < 30; i++) jobs.push(await lab.runJob(receiver.url));
  await endProcess(lab.server.process());
  await lab.server.restart();
  jobs.push(await lab.runJob(receiver.url));
  await waitUntil('all', () => jobs.every(({ id }) => receiver.of(id).length > 0));
  await untilQuiet(delivery);
});
