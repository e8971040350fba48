/**
 * The embedded redis-server: its folder, password, configuration and port, and how to see that it answers. Durable by
 * configuration: what it acknowledged survives kill -9 and power loss. Who starts it again is `managed-process.ts`.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalPid } from '../../shared/processes/signal-pid.ts';
import type { ProcessSpec } from './managed-process.ts';
import { describeProcess, isAlive } from './process-identity.ts';

export interface EmbeddedRedis {
  readonly spec: ProcessSpec;
  readonly url: string;
  /** Resolves once the server answers and has loaded its data. Rejects after `timeoutMs`. */
  untilReady(timeoutMs: number, signal?: AbortSignal): Promise<void>;
}

interface RedisWish {
  readonly dataDir: string;
  readonly maxMib: number;
  readonly executable: string;
}

/** Prepares <dataDir>/redis and picks a free port. Call it with the data folder's lock held. */
export async function prepareRedis(wish: RedisWish): Promise<EmbeddedRedis> {
  const dir = join(wish.dataDir, 'redis');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
  await endLeftover(dir);
  const password = keptPassword(dir);
  const port = await freePort();
  const configFile = join(dir, 'redis.conf');
  writeFileSync(configFile, configuration({ dir, port, password, maxMib: wish.maxMib }), { mode: 0o600 });
  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    spec: guardSpec('redis', [wish.executable, configFile]),
    untilReady: (timeoutMs, signal) => untilReady({ port, password, timeoutMs, signal }),
  };
}

/** The guard (`guard.mjs`), with a redis-server or without one. */
export function guardSpec(role: string, server: readonly string[]): ProcessSpec {
  const args = [join(import.meta.dirname, 'guard.mjs'), ...server];
  return { role, command: process.execPath, args, stopDeadlineMs: 15_000 };
}

/** hash-max-ziplist-value is the name of hash-max-listpack-value that Redis 6.2 to 8 and Valkey all know. */
function configuration(server: { dir: string; port: number; password: string; maxMib: number }): string {
  return `# Written by Millrace at every start; edits are lost.
bind 127.0.0.1
protected-mode yes
port ${server.port}
requirepass ${server.password}
daemonize no
dir ${quoted(server.dir)}
pidfile ${quoted(join(server.dir, 'redis.pid'))}
logfile ""
# A 202 means durable: "everysec" lost up to 119,237 of 143,374 acknowledged jobs to kill -9, "always" none.
appendonly yes
appendfsync always
aof-use-rdb-preamble yes
# Rewriting it, at Redis' default of every 64 MB, took 2 % of all CPU of short jobs.
auto-aof-rewrite-min-size 256mb
save ""
maxmemory ${server.maxMib}mb
# Evicting a key would lose a job without a word; admission closes long before this limit.
maxmemory-policy noeviction
# A short job is one compact hash (about 1 KB) although its request field is longer than the default of 64 bytes.
hash-max-ziplist-value 512
`;
}

function quoted(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Kept between starts, so that a tool that was given the URL keeps working but for the port. */
function keptPassword(dir: string): string {
  const file = join(dir, 'password');
  try {
    const kept = readFileSync(file, 'utf8').trim();
    if (kept !== '') return kept;
  } catch {
    // first start in this folder
  }
  const password = randomBytes(24).toString('hex');
  writeFileSync(file, password, { mode: 0o600 });
  return password;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening, fail) => {
    server.once('error', fail);
    server.listen(0, '127.0.0.1', listening);
  });
  const address = server.address();
  await new Promise<void>((closed) => server.close(() => closed()));
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return address.port;
}

/** A redis-server of this folder whose launcher and guard were both killed. It must be gone before another appends. */
async function endLeftover(dir: string): Promise<void> {
  const pid = readPid(join(dir, 'redis.pid'));
  if (pid === undefined || !isAlive(pid)) return;
  const { program, folder } = describeProcess(pid);
  const isServer = /^(redis|valkey)/.test(basename(program));
  if (!isServer || (folder !== undefined && folder !== dir)) return;
  signalPid(pid, 'SIGTERM');
  for (let waitedMs = 0; isAlive(pid); waitedMs += 50) {
    if (waitedMs === 5000) signalPid(pid, 'SIGKILL');
    if (waitedMs > 10_000)
      throw new Error(`A redis-server of an earlier run (process ${pid}) does not end. End it by hand.`);
    await sleep(50);
  }
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8').trim());
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

interface Probe {
  readonly port: number;
  readonly password: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

async function untilReady(probe: Probe): Promise<void> {
  const deadline = performance.now() + probe.timeoutMs;
  for (;;) {
    const answer = await ping(probe.port, probe.password);
    if (answer === 'PONG') return;
    probe.signal?.throwIfAborted();
    if (performance.now() > deadline)
      throw new Error(`redis-server did not answer within ${probe.timeoutMs} ms: ${answer}`);
    await sleep(20);
  }
}

/** "PONG", or in words why not. While a large file loads, the server answers LOADING. */
function ping(port: number, password: string): Promise<string> {
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port });
    let reply = '';
    const end = (answer: string) => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(1000, () => end('no answer'));
    socket.on('error', (error) => end(error.message));
    socket.on('close', () => done(reply.trim() || 'closed'));
    socket.on('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (chunk) => {
      reply += chunk.toString('latin1');
      if (reply.includes('+PONG')) end('PONG');
      else if (reply.includes('-')) end(reply.trim());
    });
  });
}
