/**
 * The whole system as a user starts it, for black-box tests: own ports, own data, found and killed through /proc. Knows
 * roles by the program that a process runs.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcess } from '../../shared/testing/end-process.ts';
import { freePort } from '../../shared/testing/free-port.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';

/** What each role's command line holds. */
const programs = {
  api: 'api/main.ts',
  worker: 'workers/inference-main.ts',
  lane: 'workers/lane/lane-main.ts',
  delivery: 'workers/delivery-main.ts',
  log: 'workers/log-main.ts',
  board: 'api/board-main.ts',
  redis: 'redis-server',
} as const;
export type Role = keyof typeof programs;

export interface RunningSystem {
  readonly url: string;
  readonly adminUrl: string;
  readonly dataDir: string;
  /** Of the launcher. */
  readonly pid: number;
  /** The embedded Redis, as its own configuration has it. */
  readonly redisUrl: string;
  /** Live processes of a role below this system's launcher. */
  pidsOf(role: Role): number[];
  /** Ends everything; throws when something is left. */
  stop(): Promise<void>;
}

export interface SystemWish {
  readonly env?: Readonly<Record<string, string>>;
  /** Models that must be ready before it counts as started. */
  readonly models: readonly string[];
  /** One of MILLRACE_API_KEYS, when that is set. */
  readonly key?: string;
}

export async function startSystem({ env = {}, models, key }: SystemWish): Promise<RunningSystem> {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-e2e-'));
  const port = await freePort();
  const adminPort = await freePort();
  const launcher = spawn(process.execPath, [join(import.meta.dirname, '../../cli/bootstrap.mjs'), 'start'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      LOG_LEVEL: 'warn',
      ...env,
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      MILLRACE_DATA: dataDir,
    },
  });
  let output = '';
  for (const stream of [launcher.stdout, launcher.stderr])
    stream?.on('data', (chunk) => (output = (output + chunk).slice(-20_000)));
  const url = `http://127.0.0.1:${port}`;
  const system: RunningSystem = {
    url,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    dataDir,
    pid: launcher.pid as number,
    get redisUrl() {
      return embeddedRedis(dataDir);
    },
    pidsOf: (role) => descendants(launcher.pid as number).filter((pid) => commandOf(pid).includes(programs[role])),
    async stop() {
      const family = descendants(launcher.pid as number);
      await endProcess(launcher, 'SIGTERM');
      await waitUntil('nothing is left running', () => family.every((pid) => commandOf(pid) === ''));
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await waitUntil(
      'the models are ready',
      async () => (await readyModels(url, key)).filter((id) => models.includes(id)).length === models.length,
      180_000,
    );
  } catch (error) {
    await endProcess(launcher, 'SIGTERM');
    throw new Error(`The system did not start:\n${output}`, { cause: error });
  }
  return system;
}

function embeddedRedis(dataDir: string): string {
  const folder = join(dataDir, 'redis');
  const port = /^port (\d+)$/m.exec(readFileSync(join(folder, 'redis.conf'), 'utf8'))?.[1];
  return `redis://:${readFileSync(join(folder, 'password'), 'utf8').trim()}@127.0.0.1:${port}`;
}

async function readyModels(url: string, key: string | undefined): Promise<string[]> {
  const response = await fetch(`${url}/v1/models`, key ? { headers: { authorization: `Bearer ${key}` } } : {});
  const { data } = (await response.json()) as { data: { id: string; status: string }[] };
  return data.filter(({ status }) => status === 'ready').map(({ id }) => id);
}

/** Pids below `root`, from the parent fields of /proc. */
function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(name);
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const open = [root];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      open.push(child);
    }
  }
  return found;
}

function parentOf(pid: string): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}

/** Empty for a process that ended, zombies included. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
