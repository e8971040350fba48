/**
 * What `start` and `demo` share: a system is started, used, and stopped in order on the first Ctrl-C or SIGTERM, at once
 * on the second. However it ends, no process is left.
 */
import { constants } from 'node:os';
import { readSettings, type Settings, SettingsError } from '../../shared/config/settings.ts';
import { LogBook, type LogView } from '../launcher/log-book.ts';
import { listenForStop } from '../launcher/stop-signals.ts';
import { type Entry, type Environment, logsFolder, System } from '../launcher/system.ts';
import { createPaint, type Paint } from '../terminal/paint.ts';

export interface Serving {
  readonly system: System;
  readonly settings: Settings;
  readonly env: Environment;
  readonly paint: Paint;
  /** Aborts when somebody wants to stop, or the system can not go on. */
  readonly signal: AbortSignal;
}

export interface ServeWish {
  readonly env: Environment;
  readonly watchesParent: boolean;
  readonly view: LogView;
  /** Other programs than the system's own: for tests. */
  readonly entries?: readonly Entry[];
  /** Called once the API takes requests. The system stops when it resolves; it resolves with the exit status. */
  readonly use: (serving: Serving) => Promise<number>;
}

/** Runs a system around `wish.use` and resolves with the exit status once every process is gone. */
export async function serve(wish: ServeWish): Promise<number> {
  const settings = readSettings(wish.env);
  const paint = createPaint(process.stderr.isTTY === true, wish.env);
  const show = (text: string) => process.stderr.write(text);
  const logs = new LogBook({ folder: logsFolder(settings), view: wish.view, level: settings.logLevel, paint, show });
  const system = new System({ settings, env: wish.env, logs, ...(wish.entries ? { entries: wish.entries } : {}) });
  const stopping = listenForStop(() => {
    system.kill();
    process.exit(128 + constants.signals.SIGINT);
  }, wish.watchesParent);
  // Whatever ends this process, its children go with it.
  process.on('exit', () => system.kill());
  let failure: string | undefined;
  const failed = new AbortController();
  void system.failure.then((reason) => {
    failure = reason;
    failed.abort();
  });
  const signal = AbortSignal.any([stopping.signal, failed.signal]);
  let code = 1;
  try {
    await system.start(signal);
    code = await wish.use({ system, settings, env: wish.env, paint, signal });
  } catch (error) {
    // A wish to stop ends what was under way with an AbortError: that is no fault.
    if (!signal.aborted) throw error;
    code = 0;
  } finally {
    if (stopping.signal.aborted && process.stderr.isTTY)
      show(`\n${paint.dim('Stopping (Ctrl-C again: at once) ...')}\n`);
    logs.mute();
    await system.stop();
    stopping.dispose();
    logs.close();
  }
  if (failure !== undefined) throw new SettingsError(failure);
  return code;
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }));
}

/** The addresses that a person wants to open, and the token that nobody chose. */
export function describeUrls({ system, paint }: Serving): string {
  const rows = [
    ['API', `${system.apiUrl}/v1/jobs`],
    ['Docs', `${system.apiUrl}/docs`],
    ['OpenAPI', `${system.apiUrl}/openapi.json`],
    ['Metrics', `${system.adminUrl}/metrics`],
    ['Admin', `${system.adminUrl}/admin`],
  ] as const;
  const lines = rows.map(([name, url]) => `  ${name.padEnd(8)} ${paint.cyan(url)}`);
  const token = system.generatedAdminToken;
  if (token) lines.push(`           log in with ${token}  (set ADMIN_TOKEN to choose it)`);
  return lines.join('\n');
}
