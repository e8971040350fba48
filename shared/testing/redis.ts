/** A real redis-server for tests: own port, own folder, durable like production, gone afterwards. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { endProcess } from './end-process.ts';
import { freePort } from './free-port.ts';
import { waitUntil } from './wait-until.ts';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** The server's own process, to be killed by tests that want that. */
  readonly process: () => ChildProcess;
  /** Starts it again on the same port and data after a kill. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTestRedis(extra: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'millrace-redis-'));
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'yes'];
  const durable = [
    '--hash-max-listpack-value',
    '512',
    '--appendfsync',
    'always',
    '--maxmemory-policy',
    'noeviction',
    '--enable-debug-command',
    'local',
  ];
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const start = async () => {
    // One that was just killed may still hold the port.
    if (child) await endProcess(child);
    child = spawn('redis-server', [...options, ...durable, ...extra], { stdio: 'ignore' });
    await untilAnswers(url);
  };
  await start();
  return {
    url,
    port,
    process: () => child as ChildProcess,
    restart: start,
    async stop() {
      if (child) await endProcess(child);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function untilAnswers(url: string): Promise<void> {
  const probe = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  probe.on('error', () => {});
  try {
    await waitUntil('redis-server answers', async () => (await probe.ping()) === 'PONG');
  } finally {
    probe.disconnect();
  }
}
