/**
 * One child of the launcher: started, started again with back-off when it dies, stopped with a deadline.
 *
 *   idle -> running -> waiting (back-off) -> running ...
 *   any -> stopping -> stopped
 *
 * The child leads a process group of its own, so that a terminal's Ctrl-C reaches only the launcher and a SIGKILL takes
 * what the child had started. It has an IPC channel: its closing tells the child that the launcher is gone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { exitConfig } from '../../shared/processes/process-life.ts';
import { readLogLine, warnLevel } from './log-entry.ts';
import { splitLines } from './split-lines.ts';

export interface ProcessSpec {
  readonly role: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Complete environment; absent means the launcher's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** From SIGTERM to SIGKILL. */
  readonly stopDeadlineMs: number;
}

export interface ProcessEvents {
  /** It runs, for the first time or again. */
  readonly onStart: (role: string) => void;
  readonly onLine: (role: string, line: string) => void;
  readonly onMessage: (role: string, message: unknown) => void;
  /** It ended unasked and will be started again after `retryMs`. */
  readonly onDeath: (role: string, ending: string, retryMs: number) => void;
  /** It said that its settings are wrong (exit code 78): time will not mend them, so it is not started again. */
  readonly onHopeless: (role: string, lastWords: string) => void;
}

const backOffMs = { min: 100, max: 5000 };
/** A life this long counts as a good start: the back-off begins anew. */
const goodLifeMs = 10_000;

export class ManagedProcess {
  readonly role: string;
  readonly #spec: ProcessSpec;
  readonly #events: ProcessEvents;
  #child: ChildProcess | undefined;
  #retry: NodeJS.Timeout | undefined;
  #nextBackOffMs = backOffMs.min;
  #lastWords: string[] = [];
  #stopped: Promise<void> | undefined;
  #deaths = 0;

  constructor(spec: ProcessSpec, events: ProcessEvents) {
    this.role = spec.role;
    this.#spec = spec;
    this.#events = events;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Times that it ended unasked. */
  get deathCount(): number {
    return this.#deaths;
  }

  start(): void {
    if (this.#child || this.#stopped) return;
    const startedAt = performance.now();
    const child = spawn(this.#spec.command, this.#spec.args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      ...(this.#spec.env ? { env: { ...this.#spec.env } } : {}),
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) splitLines(stream, (line) => this.#hear(line));
    }
    child.on('message', (message) => this.#events.onMessage(this.role, message));
    let isOver = false;
    const over = (ending: string, code: number | null) => {
      if (isOver) return;
      isOver = true;
      this.#end(child, ending, code, performance.now() - startedAt);
    };
    child.on('error', (error) => over(error.message, null));
    child.on('exit', (code, signal) => over(signal ? `killed by ${signal}` : `exit code ${code}`, code));
    if (child.pid !== undefined) this.#events.onStart(this.role);
  }

  /** Tells the child something over IPC; one that has just died hears nothing. */
  send(message: Readonly<Record<string, unknown>>): void {
    if (this.#child?.connected) this.#child.send(message, () => {});
  }

  /** SIGTERM, then SIGKILL to the whole group after the deadline. Resolves when it is gone. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= new Promise((done) => {
      clearTimeout(this.#retry);
      const child = this.#child;
      if (!child) return done();
      const timer = setTimeout(() => this.kill(), this.#spec.stopDeadlineMs);
      child.once('exit', () => {
        clearTimeout(timer);
        done();
      });
      child.kill('SIGTERM');
    });
    return this.#stopped;
  }

  /** SIGKILL to the whole group at once. Safe in an `exit` handler. */
  kill(): void {
    this.#stopped ??= Promise.resolve();
    clearTimeout(this.#retry);
    if (this.#child) killGroup(this.#child);
  }

  #hear(line: string): void {
    this.#lastWords.push(line);
    if (this.#lastWords.length > 20) this.#lastWords.shift();
    this.#events.onLine(this.role, line);
  }

  /** Its last words without its everyday log lines. */
  #reason(): string {
    const entries = this.#lastWords.map((line) => ({ line, entry: readLogLine(this.role, line) }));
    const telling = entries.filter(({ line, entry }) => !line.startsWith('{') || entry.level >= warnLevel);
    return telling.map(({ entry }) => entry.message).join('\n');
  }

  #end(child: ChildProcess, ending: string, code: number | null, livedMs: number): void {
    killGroup(child);
    this.#child = undefined;
    if (this.#stopped) return;
    this.#deaths += 1;
    if (code === exitConfig) {
      this.#events.onHopeless(this.role, this.#reason());
      return;
    }
    this.#lastWords = [];
    if (livedMs > goodLifeMs) this.#nextBackOffMs = backOffMs.min;
    const retryMs = this.#nextBackOffMs;
    this.#nextBackOffMs = Math.min(this.#nextBackOffMs * 2, backOffMs.max);
    this.#events.onDeath(this.role, ending, retryMs);
    this.#retry = setTimeout(() => this.start(), retryMs);
  }
}

/** What the child had started and left behind goes with it. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // nobody is left in the group
  }
}
