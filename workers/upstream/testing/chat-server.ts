/** Starts, asks and kills the test server of chat completions (`chat-server-main.ts`). */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../../../shared/testing/free-port.ts';
import type { LoggedCall } from './chat-server-main.ts';

export class TestChatServer {
  readonly port: number;
  readonly #key: string;
  #child: ChildProcess | null = null;

  private constructor(port: number, key: string) {
    this.port = port;
    this.#key = key;
  }

  static async start({ key = '' } = {}): Promise<TestChatServer> {
    const server = new TestChatServer(await freePort(), key);
    await server.rise();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** On the same port as before. */
  async rise(): Promise<void> {
    this.#child = fork(join(import.meta.dirname, 'chat-server-main.ts'), [String(this.port), this.#key]);
    await once(this.#child, 'message');
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** What every question is taken for from now on; null for what it says itself. */
  async mode(prompt: string | null, headers: Record<string, string> = {}): Promise<void> {
    await fetch(`${this.url}/mode`, {
      method: 'PUT',
      body: JSON.stringify(prompt === null ? null : { prompt, headers }),
    });
  }

  async calls(prompt?: string): Promise<LoggedCall[]> {
    const calls = (await (await fetch(`${this.url}/log`)).json()) as LoggedCall[];
    return prompt === undefined ? calls : calls.filter((call) => call.prompt === prompt);
  }
}
