/** The delivery process as it runs: killed with -9 again and again, judged by both verifiers, stopped by SIGTERM. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keys } from '../../shared/jobs/keys.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { type Received, type Receiver, startReceiver, verify } from './testing/receiver.ts';
import { mintSecret, WebhookLab } from './testing/webhook-lab.ts';

const root = resolve(import.meta.dirname, '../..');
/** Promise 12 asks for 500: `MILLRACE_TEST_KILLS=500`. */
const kills = Number(process.env['MILLRACE_TEST_KILLS'] ?? 20);
const children = new Set<ChildProcess>();
let lab: WebhookLab;
let receiver: Receiver;

before(async () => {
  lab = await WebhookLab.start();
});
after(async () => {
  await lab.stop();
});
afterEach(async () => {
  for (const child of children) await kill(child);
  await receiver.stop();
  await lab.redis.flushall();
});

/** Resolves when it says that it is ready. */
async function startDelivery(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['workers/delivery-main.ts'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, REDIS_URL: lab.server.url, MILLRACE_ALLOW_HOSTS: '127.0.0.1', LOG_LEVEL: 'silent' },
  });
  children.add(child);
  const ready = (async () => {
    for (;;) {
      const [message] = (await once(child, 'message')) as [{ type: string }];
      if (message.type === 'ready') return;
    }
  })();
  await Promise.race([ready, once(child, 'exit').then(([code]) => assert.fail(`ended with ${code}`))]);
  return child;
}

async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill(signal);
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

const idsOf = (received: readonly Received[]) => new Set(received.map(({ headers }) => headers['webhook-id']));

test('killed again and again between result and send, it misses no event and keeps every webhook-id', async (t) => {
  receiver = await startReceiver((response) => setTimeout(() => response.end(), 30));
  const jobs: { id: string; secret: string }[] = [];
  let producing = true;
  const producer = (async () => {
    while (producing) {
      jobs.push(await lab.runJob(receiver.url));
      await sleep(20);
    }
  })();
  for (let round = 0; round < kills; round++) {
    const child = await startDelivery();
    // Up to the moment of reading, rendering, queueing, sending, recording: whatever it is at.
    await sleep((round % 20) * 13);
    await kill(child);
  }
  producing = false;
  await producer;
  const child = await startDelivery();
  await waitUntil('every event', () => idsOf(receiver.received).size >= jobs.length, 180_000);
  await waitUntil('an empty outbox', async () => (await lab.redis.xlen(keys.outbox)) === 0);
  assert.deepEqual(idsOf(receiver.received), new Set(jobs.map(({ id }) => `msg_${id}_3`)));
  for (const { id, secret } of jobs) for (const received of receiver.of(id)) verify(received, secret);
  t.diagnostic(`${jobs.length} events, ${receiver.received.length} deliveries`);
  assert.equal(await kill(child, 'SIGTERM'), 0);
});

test('killed by its receiver between answer and record, it sends again under the same webhook-id', async () => {
  /** It may deliver before this test has heard that it is ready. */
  let starting: Promise<ChildProcess> | undefined;
  receiver = await startReceiver((response) => {
    if (receiver.received.length <= 2) void starting?.then((child) => kill(child)).then(() => response.end());
    else response.end();
  });
  const job = await lab.runJob(receiver.url);
  for (let attempt = 1; attempt <= 3; attempt++) {
    starting = startDelivery();
    const child = await starting;
    await waitUntil(`delivery ${attempt}`, () => receiver.received.length >= attempt);
    if (attempt < 3) await waitUntil('killed', () => child.signalCode === 'SIGKILL');
  }
  assert.deepEqual(idsOf(receiver.received), new Set([`msg_${job.id}_3`]));
  const stamps = receiver.received.map(({ headers }) => Number(headers['webhook-timestamp']));
  assert.ok((stamps[2] ?? 0) > (stamps[0] ?? 0), 'the timestamp is of the attempt');
});

test('SIGTERM lets the attempt under way end, and sends it only once', async () => {
  receiver = await startReceiver((response) => setTimeout(() => response.end(), 700));
  const job = await lab.runJob(receiver.url);
  const child = await startDelivery();
  await waitUntil('under way', () => receiver.received.length === 1);
  assert.equal(await kill(child, 'SIGTERM'), 0);
  const next = await startDelivery();
  await sleep(300);
  assert.equal(receiver.of(job.id).length, 1);
  assert.equal(await lab.redis.hexists(keys.deliveries('default', job.id), 'a:3:1'), 1);
  assert.equal(await kill(next, 'SIGTERM'), 0);
});

test('an unmodified verifier from PyPI accepts every delivery', async (t) => {
  receiver = await startReceiver();
  const python = preparePython();
  if (!python) return t.skip('python3 with venv and pip, or the package index, is not there');
  const child = await startDelivery();
  const outputs = [{ x: 1 }, 'Молоко 3,2% 🥛', 'x'.repeat(30_000), [{ label: 'a"b\\c\u2028', score: 0.5 }], null];
  const jobs = [];
  for (const output of outputs) jobs.push(await lab.runJob(receiver.url, { secret: mintSecret(), output }));
  await waitUntil('all', () => receiver.received.length === outputs.length);
  const lines = jobs.flatMap(({ id, secret }) =>
    receiver.of(id).map(({ headers, body }) => JSON.stringify({ secret, headers, body })),
  );
  const script = join(import.meta.dirname, 'testing/verify_deliveries.py');
  const judged = spawnSync(python, [script], { input: lines.join('\n'), encoding: 'utf8', timeout: 120_000 });
  assert.equal(judged.stdout.trim(), `${outputs.length}`, judged.stderr);
  const forged = JSON.stringify({ ...JSON.parse(lines[0] ?? ''), secret: mintSecret() });
  assert.notEqual(spawnSync(python, [script], { input: forged, timeout: 120_000 }).status, 0);
  await kill(child, 'SIGTERM');
});

/** A virtual environment with e2e/requirements.txt, kept among npm's caches; null where it can not be made. */
function preparePython(): string | null {
  const folder = join(root, 'node_modules/.cache/millrace-python');
  const python = join(folder, 'bin/python');
  const works = () => existsSync(python) && spawnSync(python, ['-c', 'import standardwebhooks']).status === 0;
  if (works()) return python;
  const options = { timeout: 60_000, stdio: 'ignore' } as const;
  if (spawnSync('python3', ['-m', 'venv', folder], options).status !== 0) return null;
  const requirements = join(root, 'e2e/requirements.txt');
  spawnSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements], options);
  return works() ? python : null;
}
