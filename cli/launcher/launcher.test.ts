/** The launcher as a process, with a real redis-server and fake API, workers and delivery. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { signalPid } from '../../shared/processes/signal-pid.ts';
import { startTestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import {
  type LaunchedSystem,
  type LaunchWish,
  launch,
  temporaryFolder,
  untilGone,
} from '../testing/launched-system.ts';
import { isAlive } from './process-identity.ts';

const systems: LaunchedSystem[] = [];
const folders: { remove(): void }[] = [];

async function start(wish: Partial<LaunchWish> = {}): Promise<LaunchedSystem & { dir: string }> {
  const folder = temporaryFolder();
  folders.push(folder);
  const system = await launch({ dir: folder.dir, ...wish });
  systems.push(system);
  return { ...system, dir: wish.dir ?? folder.dir };
}

afterEach(async () => {
  for (const system of systems.splice(0)) {
    system.launcher.kill('SIGKILL');
    const pids = system.everyPid().filter((pid) => pid > 1);
    for (const pid of pids) signalPid(pid, 'SIGKILL');
    await untilGone(pids); // They write into the folder until then.
  }
  for (const folder of folders.splice(0)) folder.remove();
});

const redisOf = (system: LaunchedSystem) => {
  const conf = readFileSync(join(system.dataDir, 'redis/redis.conf'), 'utf8');
  const setting = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(conf)?.[1] ?? '';
  return new Redis(`redis://:${setting('requirepass')}@127.0.0.1:${setting('port')}`, { maxRetriesPerRequest: null });
};

test('SIGTERM stops API, workers, delivery and redis-server in this order and leaves nothing', async () => {
  const system = await start();
  system.launcher.kill('SIGTERM');
  assert.equal(await system.ended, 0, system.errors());
  const stops = system.diary().filter((line) => line.startsWith('stop '));
  assert.deepEqual(
    stops.map((line) => line.split(' ')[1]),
    ['api', 'workers', 'delivery'],
  );
  await untilGone(system.everyPid());
});

test('one Ctrl-C that arrives three times is one wish to stop', async () => {
  const system = await start();
  for (let i = 0; i < 3; i += 1) system.launcher.kill('SIGINT');
  assert.equal(await system.ended, 0, system.errors());
  await untilGone(system.everyPid());
});

test('a second Ctrl-C ends even a process that does not stop', async () => {
  const system = await start({ env: { FAKE_STUBBORN: 'workers' } });
  system.launcher.kill('SIGINT');
  await waitUntil('the first is heard', () => system.diary().some((line) => line.startsWith('stop api')));
  await sleep(700); // What comes within 0.4 s is the same wish.
  assert.ok(isAlive(system.pids['workers'] ?? 0), 'the stubborn worker was still there');
  system.launcher.kill('SIGINT');
  assert.equal(await system.ended, 130);
  await untilGone(system.everyPid());
});

test('a launcher killed with -9 leaves nothing, and its data folder can be used again', async () => {
  const system = await start();
  system.launcher.kill('SIGKILL');
  assert.equal(await system.ended, 'SIGKILL');
  await untilGone(system.everyPid());
  const next = await start({ dir: system.dir });
  assert.equal(next.launcher.exitCode, null, next.errors());
});

test('a launcher killed with -9 takes even a process along that hangs, also on a Redis of its own', async () => {
  const hung = await start({ env: { FAKE_STUBBORN: 'workers' } });
  const external = await start({ env: { FAKE_STUBBORN: 'api', REDIS_URL: 'redis://127.0.0.1:1' } });
  for (const system of [hung, external]) system.launcher.kill('SIGKILL');
  await untilGone([...hung.everyPid(), ...external.everyPid()]);
});

test('a redis-server whose launcher and guard were both killed is ended before another starts', async () => {
  const system = await start();
  const leftover = system.redisPid();
  system.launcher.kill('SIGSTOP'); // it must not see the guard die and sweep behind it
  process.kill(system.pids['redis'] ?? 0, 'SIGKILL');
  system.launcher.kill('SIGKILL');
  await system.ended;
  assert.ok(isAlive(leftover), 'the server outlived its guard');
  const next = await start({ dir: system.dir });
  assert.ok(!isAlive(leftover));
  assert.notEqual(next.redisPid(), leftover);
});

test('redis-server killed with -9 is back within two seconds, on its port, with what it had acknowledged', async () => {
  const beforeAt = performance.now();
  const other = await startTestRedis();
  const startMs = performance.now() - beforeAt;
  await other.stop();
  const system = await start();
  const redis = redisOf(system);
  redis.on('error', () => {});
  try {
    await redis.set('kept', 'yes');
    const old = system.redisPid();
    const killedAt = performance.now();
    process.kill(old, 'SIGKILL');
    await waitUntil('the guard saw it', () => !isAlive(old));
    assert.equal(await redis.get('kept'), 'yes');
    // On a machine where a redis-server answers 0.2 s after its start, or sooner.
    const tookMs = performance.now() - killedAt;
    assert.ok(tookMs < Math.max(2000, 10 * startMs), `took ${tookMs} ms, a start ${startMs} ms`);
    assert.notEqual(system.redisPid(), old);
    assert.match(system.errors(), /redis ended/);
  } finally {
    redis.disconnect();
  }
});

test('redis-server keeps what it acknowledges and refuses what does not fit', async () => {
  const system = await start();
  const redis = redisOf(system);
  try {
    const expected = {
      appendonly: 'yes',
      appendfsync: 'always',
      'maxmemory-policy': 'noeviction',
      save: '',
      bind: '127.0.0.1',
    };
    for (const [name, value] of Object.entries(expected)) {
      const reply = Object.entries((await redis.config('GET', name)) as object).flat();
      assert.ok(reply.includes(value), `${name}: ${reply}`);
    }
  } finally {
    redis.disconnect();
  }
});

test('a process that dies is started again, and what it had started goes with it', async () => {
  const system = await start();
  const grandchild = Number(
    system
      .diary()
      .find((line) => / workers /.test(line) && line.startsWith('grandchild'))
      ?.split(/[: ]/)[1],
  );
  process.kill(system.pids['workers'] ?? 0, 'SIGKILL');
  await waitUntil(
    'a second worker',
    () => system.diary().filter((line) => line.startsWith('start workers')).length === 2,
  );
  await untilGone([grandchild]);
  await waitUntil('its metrics', async () =>
    (await (await fetch(`${system.adminUrl}/metrics`)).text()).includes('launcher_process_deaths_total'),
  );
  const text = await (await fetch(`${system.adminUrl}/metrics`)).text();
  assert.match(text, /launcher_process_deaths_total\{[^}]*process="workers"[^}]*\} 1/);
});

test('the admin port shows every process, and /livez', async () => {
  const system = await start();
  assert.equal((await fetch(`${system.adminUrl}/livez`)).status, 200);
  const hasAll = async () => {
    const text = await (await fetch(`${system.adminUrl}/metrics`)).text();
    return ['api', 'workers', 'delivery'].every((role) => text.includes(`fake_up{role="${role}"`));
  };
  await waitUntil('metrics of all three', hasAll);
});

test('an admin port that others can reach needs the token', async () => {
  const token = 'a-token-of-some-length';
  const system = await start({ env: { ADMIN_HOST: '0.0.0.0', ADMIN_TOKEN: token } });
  const ask = (headers: Record<string, string>) => fetch(`${system.adminUrl}/metrics`, { headers });
  assert.equal((await ask({})).status, 401);
  assert.equal((await ask({ Authorization: 'Bearer wrong' })).status, 401);
  assert.equal((await ask({ Authorization: `Bearer ${token}` })).status, 200);
});

test('two instances run side by side; a second one on the same data refuses and says why', async () => {
  const first = await start();
  const second = await start();
  assert.equal(second.launcher.exitCode, null);
  const third = await start({ dir: first.dir });
  assert.notEqual(await third.ended, 0);
  assert.match(third.errors(), /in use by process \d+.*MILLRACE_DATA/);
  first.launcher.kill('SIGTERM');
  assert.equal(await first.ended, 0);
  assert.equal(second.launcher.exitCode, null, 'the second one goes on');
});

test('a taken port is refused at once with the setting to change', async () => {
  const first = await start();
  const port = new URL(first.adminUrl).port;
  const second = await start({ env: { PORT: port } });
  assert.notEqual(await second.ended, 0);
  assert.match(second.errors(), /in use\. Set PORT/);
});
