/** A system that serves a model over HTTP, started and stopped by the bench: ours, and the peers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { freePort } from '../../../shared/testing/free-port.ts';
import { waitUntil } from '../../../shared/testing/wait-until.ts';
import type { Caller } from '../../end-to-end/closed-loop.ts';
import type { Subject } from '../../pipeline/subjects.ts';

export interface RunningServer {
  /** Everything below these counts as the server's. */
  readonly pids: readonly number[];
  readonly caller: Caller;
  /** Processes that do nothing but compute, where they can be told apart. */
  lanePids?(): readonly number[];
  /** Its processes by what they do, where they can be told apart. */
  roles?(): ReadonlyMap<string, readonly number[]>;
  readonly redisUrl?: string;
  /** Resolves when all is done that answers left to do; until then it would disturb, or be hidden in, what runs next. */
  settle?(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerSpec {
  readonly name: string;
  /** Why it can not run here; null when it can. */
  unable?(): Promise<string | null>;
  /** @param probe an item that the model takes; a text when absent */
  start(subject: Subject, probe?: unknown): Promise<RunningServer>;
}

interface VectorsCaller {
  readonly url: string;
  body(texts: readonly unknown[]): object;
  /** Of an answer, parsed. */
  vectors(answer: unknown): readonly (readonly number[])[];
}

export function vectorsCaller({ url, body, vectors }: VectorsCaller): Caller {
  return {
    url,
    body: (texts) => JSON.stringify(body(texts)),
    check(answer, texts) {
      const found = vectors(JSON.parse(answer));
      if (found.length !== texts || found[0]?.length !== 384) throw new Error('A peer answered no vectors.');
    },
    outputOf: (answer) => vectors(JSON.parse(answer))[0],
  };
}

/** `POST /embed {"texts": [...]}` -> `{"vectors": [[...]]}`: what the servers that we wrote speak. */
export function embedCaller(port: number): Caller {
  return vectorsCaller({
    url: `http://127.0.0.1:${port}/embed`,
    body: (texts) => ({ texts }),
    vectors: (answer) => (answer as { vectors: number[][] }).vectors,
  });
}

export interface ProcessWish {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A child in a process group of its own, so that its forks end with it. */
export class ServerProcess {
  readonly #child: ChildProcess;
  #output = '';

  constructor({ command, args, cwd, env = {} }: ProcessWish) {
    this.#child = spawn(command, [...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk) => (this.#output = (this.#output + chunk).slice(-10_000)));
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Until it answers an item. */
  async untilServes(caller: Caller, probe: unknown = 'a river', timeoutMs = 120_000): Promise<void> {
    try {
      await waitUntil(
        'the server answers',
        async () => {
          if (this.#child.exitCode !== null) throw new Error(`it ended with ${this.#child.exitCode}`);
          const { url, headers = {} } = caller;
          const init = {
            method: 'POST',
            body: caller.body([probe]),
            headers: { 'content-type': 'application/json', ...headers },
          };
          const response = await fetch(url, init).catch(() => null);
          return response?.ok === true;
        },
        timeoutMs,
      );
    } catch (error) {
      await this.stop();
      throw new Error(`A peer did not start:\n${this.#output}`, { cause: error });
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    const kill = (signal: NodeJS.Signals) => {
      try {
        process.kill(-this.pid, signal);
      } catch {} // The group is gone.
    };
    kill('SIGTERM');
    const timer = setTimeout(() => kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  }
}

export { freePort };
