/** The admin port as a user gets it from `npm start`: one port, metrics without login, pages with, each alive by itself. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { signalPid } from '../shared/processes/signal-pid.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { type RunningSystem, startSystem } from './system/running-system.ts';

let system: RunningSystem;
before(async () => {
  system = await startSystem({ models: ['starter-ner-groceries'] });
});
after(() => system.stop());

const ask = (path: string, init: RequestInit = {}) => fetch(system.adminUrl + path, { redirect: 'manual', ...init });
const token = () => readFileSync(join(system.dataDir, 'admin-token'), 'utf8').trim();
const isUp = async () => (await ask('/admin/login')).status === 200;

test('the token is kept for its owner alone, opens a session, and shows a job that ran', async () => {
  await waitUntil('the board is up', isUp);
  assert.equal(statSync(join(system.dataDir, 'admin-token')).mode & 0o777, 0o600);
  const login = await ask('/admin/login', { method: 'POST', body: new URLSearchParams({ token: token() }) });
  assert.equal(login.status, 303);
  const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const sent = await fetch(`${system.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=30' },
    body: JSON.stringify({ model: 'starter-ner-groceries', input: 'milk 3.2%' }),
  });
  const { id } = (await sent.json()) as { id: string };
  const page = await ask(`/admin/jobs/default/${id}`, { headers: { cookie } });
  assert.match(await page.text(), /succeeded[\s\S]*starter-ner-groceries \(version 1\)/);
  const queues = await ask('/admin/queues/api/queues', { headers: { authorization: `Bearer ${token()}` } });
  const { queues: shown } = (await queues.json()) as { queues: { name: string }[] };
  const names = shown.map(({ name }) => name);
  for (const jobClass of ['high', 'normal', 'low', 'bulk'])
    assert.ok(names.includes(`starter-ner-groceries.${jobClass}`));
  assert.ok(names.includes('webhooks'));
});

test('metrics need no board, and a board that was killed comes back', async () => {
  await waitUntil('the board is up', isUp);
  for (const pid of system.pidsOf('board')) signalPid(pid, 'SIGKILL');
  await waitUntil('it is gone', async () => (await ask('/admin')).status === 503);
  assert.equal((await ask('/metrics')).status, 200);
  const isCounted = async () =>
    /launcher_process_deaths_total\{[^}]*process="board"[^}]*\} 1\n/.test(await (await ask('/metrics')).text());
  await waitUntil('the launcher saw it', isCounted);
  await waitUntil('it is back', isUp);
});
