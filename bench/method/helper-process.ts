/** A process of a bench: started with arguments, asked over IPC, gone at the end. */
import { type ChildProcess, fork } from 'node:child_process';

export class HelperProcess {
  readonly child: ChildProcess;

  constructor(module: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    this.child = fork(module, [...args], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
    });
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** Resolves with the next message of this type. */
  async next<Message extends { type: string }>(type: Message['type'], timeoutMs = 120_000): Promise<Message> {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => settle(() => reject(new Error(`No "${type}" within ${timeoutMs} ms.`))),
        timeoutMs,
      );
      const onMessage = (message: Message) => message.type === type && settle(() => resolve(message));
      const onExit = (code: number | null) =>
        settle(() => reject(new Error(`The helper ended with ${code} before "${type}".`)));
      const settle = (then: () => void) => {
        clearTimeout(timer);
        this.child.off('message', onMessage);
        this.child.off('exit', onExit);
        then();
      };
      this.child.on('message', onMessage);
      this.child.on('exit', onExit);
    });
  }

  async ask<Message extends { type: string }>(
    question: object,
    type: Message['type'],
    timeoutMs?: number,
  ): Promise<Message> {
    const reply = this.next<Message>(type, timeoutMs);
    this.child.send(question);
    return await reply;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      this.child.once('exit', () => resolve());
      this.child.kill('SIGTERM');
    });
  }
}
