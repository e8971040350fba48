/**
 * A whole running system: redis-server when none is named, then API, workers and webhook delivery, with their logs and
 * metrics. Knows processes, ports and settings; what the processes do is theirs.
 */
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AdminToken, resolveAdminToken } from '../../shared/config/admin-token.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { Counter, createRegistry, Gauge } from '../../shared/observability/metrics.ts';
import type { ProcessMessage } from '../../shared/processes/process-life.ts';
import { type AdminServer, serveAdmin } from './admin-server.ts';
import { lockData } from './data-lock.ts';
import type { LogBook } from './log-book.ts';
import type { ManagedProcess } from './managed-process.ts';
import { checkPortIsFree, explainListenError } from './port-check.ts';
import { ProcessGroup } from './process-group.ts';
import { guardSpec, prepareRedis } from './redis-server.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A program of ours that belongs to a running system. */
export interface Entry {
  readonly role: string;
  /** Relative to the repository, or absolute. */
  readonly file: string;
  /** Started once jobs can run: nobody waits for it, so it takes no core from those whom somebody waits for. */
  readonly isLate?: boolean;
  /** So much later still: loading it takes half a second of a core, while the first jobs use everything for the first time. */
  readonly restMs?: number;
  /** Absent: with any settings. */
  readonly isWanted?: (settings: Settings) => boolean;
}

/** In the order of starting; they stop in the reverse order, the API before what works for it. */
export const systemEntries: readonly Entry[] = [
  { role: 'delivery', file: 'workers/delivery-main.ts' },
  { role: 'workers', file: 'workers/main.ts' },
  { role: 'api', file: 'api/main.ts' },
  { role: 'board', file: 'api/board-main.ts', isLate: true },
  {
    role: 'log',
    file: 'workers/log-main.ts',
    isLate: true,
    restMs: 3000,
    isWanted: ({ recording }) => recording !== undefined,
  },
];

export interface SystemWish {
  readonly settings: Settings;
  readonly env: Environment;
  readonly logs: LogBook;
  readonly entries?: readonly Entry[];
}

const root = resolve(import.meta.dirname, '../..');
/** Loading a large AOF takes a while: redis reads about 100 MB/s. */
const redisReadyMs = 120_000;
const stopDeadlineMs = 30_000;
/** Large models take minutes to load: nobody waits that long for the operators' pages. */
const lateStartMs = 10_000;

export class System {
  /** Settles with the reason when the system can not go on. */
  readonly failure: Promise<string>;
  readonly #wish: SystemWish;
  readonly #group: ProcessGroup;
  readonly #ready = new Map<string, Readonly<Record<string, string>>>();
  readonly #waiting = new Set<() => void>();
  readonly #metricsPorts = new Map<string, number>();
  #adminToken: AdminToken | undefined;
  #fail: (reason: string) => void = () => {};
  #admin: AdminServer | undefined;
  #guard: ManagedProcess | undefined;
  #unlock: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(wish: SystemWish) {
    this.#wish = wish;
    this.failure = new Promise((fail) => {
      this.#fail = fail;
    });
    this.#group = new ProcessGroup({
      onStart: () => this.#tellGuard(),
      onLine: (role, line) => wish.logs.line(role, line),
      onMessage: (role, message) => this.#hear(role, message as ProcessMessage),
      onDeath: (role, ending, retryMs) => {
        this.#forget(role);
        wish.logs.say('warn', `${role} ended (${ending}); starting it again`, { retryMs });
      },
      onHopeless: (role, lastWords) => this.#fail(`${role} can not run with these settings:\n${lastWords}`),
    });
  }

  /** Starts everything. Resolves when the API takes requests; workers may still be loading models. */
  async start(signal?: AbortSignal): Promise<void> {
    const { settings } = this.#wish;
    await checkPortIsFree(settings.host, settings.port, 'PORT');
    this.#unlock = lockData(settings.dataDir);
    this.#adminToken = resolveAdminToken(settings);
    this.#admin = await serveAdmin(this.#adminWish()).catch((error) => {
      throw explainListenError(error, settings.adminHost, settings.adminPort, 'ADMIN_PORT');
    });
    if (settings.redisUrl) this.#guard = this.#group.add(guardSpec('guard', []));
    const redisUrl = settings.redisUrl ?? (await this.#startRedis(signal));
    signal?.throwIfAborted();
    const all = this.#wish.entries ?? systemEntries;
    const entries = all.filter(({ isWanted }) => isWanted?.(settings) ?? true);
    for (const entry of entries.filter(({ isLate }) => !isLate)) this.#startEntry(entry, redisUrl);
    await this.untilReady('api', signal);
    void this.#startLate(entries, redisUrl);
  }

  /** When jobs can run, or cannot soon: until then the cores belong to those who load models. */
  async #startLate(entries: readonly Entry[], redisUrl: string): Promise<void> {
    const hasWorkers = entries.some(({ role }) => role === 'workers');
    if (hasWorkers) await this.untilReady('workers', AbortSignal.timeout(lateStartMs)).catch(() => {});
    for (const entry of entries.filter(({ isLate }) => isLate)) {
      if (entry.restMs) await sleep(entry.restMs, undefined, { ref: false });
      if (this.#stopped) return;
      this.#startEntry(entry, redisUrl);
    }
  }

  /** Resolves when a process of that role has said that it is ready. */
  async untilReady(role: string, signal?: AbortSignal): Promise<void> {
    while (!this.#ready.has(role)) {
      signal?.throwIfAborted();
      await new Promise<void>((changed) => {
        const wake = () => {
          this.#waiting.delete(wake);
          signal?.removeEventListener('abort', wake);
          changed();
        };
        this.#waiting.add(wake);
        signal?.addEventListener('abort', wake);
      });
    }
  }

  get apiUrl(): string {
    const { host, port } = this.#wish.settings;
    return this.#ready.get('api')?.['api'] ?? `http://${hostInUrl(host)}:${port}`;
  }

  get adminUrl(): string {
    const { adminHost, adminPort } = this.#wish.settings;
    return `http://${hostInUrl(adminHost)}:${this.#admin?.port ?? adminPort}`;
  }

  /** The token of the admin port when nobody chose it: it must be shown. */
  get generatedAdminToken(): string | undefined {
    return this.#adminToken?.file === undefined ? undefined : this.#adminToken.token;
  }

  /** Process ids by role, for those who look for themselves. */
  get pids(): Readonly<Record<string, number | undefined>> {
    return Object.fromEntries(this.#group.members.map((member) => [member.role, member.pid]));
  }

  /** Stops everything in order. Resolves when no process is left. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  /** Ends everything at once. Synchronous: it also runs when the launcher itself fails. */
  kill(): void {
    this.#group.killAll();
    this.#unlock?.();
  }

  async #stopAll(): Promise<void> {
    await this.#group.stop((role) => this.#wish.logs.say('info', `stopping ${role}`));
    await this.#admin?.stop();
    this.#unlock?.();
  }

  async #startRedis(signal: AbortSignal | undefined): Promise<string> {
    const { settings, env } = this.#wish;
    const executable = env['MILLRACE_REDIS_SERVER'] || 'redis-server';
    const redis = await prepareRedis({ dataDir: settings.dataDir, maxMib: settings.redisMaxMib, executable });
    this.#guard = this.#group.add(redis.spec);
    await redis.untilReady(redisReadyMs, signal);
    return redis.url;
  }

  #startEntry(entry: Entry, redisUrl: string): void {
    const { env, settings } = this.#wish;
    this.#group.add({
      role: entry.role,
      command: process.execPath,
      args: [resolve(root, entry.file)],
      env: {
        ...env,
        REDIS_URL: redisUrl,
        REDIS_URL_FILE: undefined,
        MILLRACE_DATA: settings.dataDir,
        METRICS_HOST: '127.0.0.1',
        METRICS_PORT: '0',
        BOARD_PORT: '0',
      },
      stopDeadlineMs,
    });
  }

  #adminWish() {
    const own = createRegistry('launcher', 'launcher');
    const group = this.#group;
    new Gauge({
      name: 'launcher_process_up',
      help: 'Whether a process of the system runs (1) or waits to be started again (0).',
      labelNames: ['process'],
      registers: [own],
      collect() {
        for (const member of group.members) this.set({ process: member.role }, member.pid === undefined ? 0 : 1);
      },
    });
    new Counter({
      name: 'launcher_process_deaths_total',
      help: 'Times that a process of the system ended unasked.',
      labelNames: ['process'],
      registers: [own],
      collect() {
        this.reset();
        for (const member of group.members) this.inc({ process: member.role }, member.deathCount);
      },
    });
    const { adminHost: host, adminPort: port } = this.#wish.settings;
    return {
      host,
      port,
      // Prometheus on this machine needs no secret; what it reads holds no job, tenant or URL.
      token: ['127.0.0.1', '::1', 'localhost'].includes(host) ? undefined : this.#adminToken?.token,
      metricsPorts: () => [...this.#metricsPorts.values()],
      boardPort: () => portOf(this.#ready.get('board')?.['board']),
      own,
    };
  }

  #hear(role: string, message: ProcessMessage): void {
    if (message.type === 'ready') {
      this.#ready.set(role, message.urls ?? {});
      for (const wake of [...this.#waiting]) wake();
    } else if (message.type === 'metrics') {
      // One child may speak for several processes of its own (a worker per device).
      this.#metricsPorts.set(`${role}/${message.role}`, message.port);
    }
  }

  /** Each child leads a process group: its id is the group's. */
  #tellGuard(): void {
    const others = this.#group.members.filter((member) => member !== this.#guard);
    this.#guard?.send({ groups: others.map((member) => member.pid).filter((pid) => pid !== undefined) });
  }

  #forget(role: string): void {
    this.#ready.delete(role);
    for (const key of this.#metricsPorts.keys()) {
      if (key.startsWith(`${role}/`)) this.#metricsPorts.delete(key);
    }
  }
}

export function logsFolder(settings: Settings): string {
  return join(settings.dataDir, 'logs');
}

function portOf(url: string | undefined): number | undefined {
  return url === undefined ? undefined : Number(new URL(url).port);
}

/** Where a person on this machine reaches what listens there. */
function hostInUrl(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
