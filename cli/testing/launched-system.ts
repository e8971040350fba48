/** A launcher in a process of its own, with a data folder of its own, for tests that signal and kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../shared/testing/free-port.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { describeProcess, isAlive } from '../launcher/process-identity.ts';

export interface LaunchedSystem {
  readonly launcher: ChildProcess;
  readonly dataDir: string;
  readonly adminUrl: string;
  /** By role: delivery, workers, api, redis (the guard). */
  readonly pids: Readonly<Record<string, number>>;
  /** Lines "<event> <role> <pid>" of the fake processes. */
  diary(): string[];
  /** Every process that this system has had, redis-server included. */
  everyPid(): number[];
  redisPid(): number;
  errors(): string;
  /** Exit status or signal of the launcher. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

export interface LaunchWish {
  readonly dir: string;
  readonly env?: Record<string, string>;
}

export function temporaryFolder(): { readonly dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Starts a launcher around fake processes and waits until it serves. */
export async function launch({ dir, env = {} }: LaunchWish): Promise<LaunchedSystem> {
  for (const role of ['delivery', 'workers', 'api']) {
    copyFileSync(join(import.meta.dirname, 'fake-child.mjs'), join(dir, `fake-${role}.mjs`));
  }
  const diaryFile = join(dir, 'diary');
  const dataDir = join(dir, 'data');
  const launcher = spawn(process.execPath, [join(import.meta.dirname, 'launcher-main.mjs')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PORT: String(await freePort()),
      ADMIN_PORT: '0',
      MILLRACE_DATA: dataDir,
      FAKE_DIR: dir,
      FAKE_DIARY: diaryFile,
      ...env,
    },
  });
  let out = '';
  let errors = '';
  launcher.stdout?.on('data', (chunk) => (out += chunk));
  launcher.stderr?.on('data', (chunk) => (errors += chunk));
  const ended = new Promise<number | NodeJS.Signals>((done) =>
    launcher.once('exit', (code, signal) => done(signal ?? code ?? 1)),
  );
  await waitUntil('the launcher serves or ends', () => out.includes('\n') || launcher.exitCode !== null, 90_000);
  const line = out.includes('\n')
    ? (JSON.parse(out.slice(0, out.indexOf('\n'))) as { pids: Record<string, number>; admin: string })
    : undefined;
  const diary = () => (existsSync(diaryFile) ? readFileSync(diaryFile, 'utf8').trim().split('\n') : []);
  const redisPid = () => Number(readFileSync(join(dataDir, 'redis/redis.pid'), 'utf8'));
  const seenRedis = line?.pids['redis'] ? [redisPid()] : [];
  return {
    launcher,
    dataDir,
    adminUrl: line?.admin ?? '',
    pids: line?.pids ?? {},
    diary,
    redisPid,
    errors: () => errors,
    ended,
    everyPid() {
      const noted = diary().map((entry) => Number(/grandchild:(\d+)/.exec(entry)?.[1] ?? entry.split(' ').at(-1)));
      return [...Object.values(line?.pids ?? {}), ...seenRedis, ...noted];
    },
  };
}

/** Waits until none of the processes is left. */
export async function untilGone(pids: readonly number[], timeoutMs = 60_000): Promise<void> {
  try {
    await waitUntil('all are gone', () => !pids.some(isAlive), timeoutMs);
  } catch {
    const left = pids.filter(isAlive).map((pid) => `${pid} (${describeProcess(pid).program})`);
    throw new Error(`Still there after ${timeoutMs} ms: ${left.join(', ')}`);
  }
}
