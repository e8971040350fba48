/**
 * The life of one of our processes: says ready, hears that it should stop (SIGTERM, SIGINT, or the launcher's death),
 * stops its parts in reverse order with a deadline, and exits. The parts know nothing of signals.
 */
import type { Logger } from '../observability/logger.ts';
import { broken, type Examine, well } from './health.ts';

/** sysexits.h EX_CONFIG: the launcher does not restart a process that ends so. */
export const exitConfig = 78;

/** What a process tells the launcher over IPC. */
export type ProcessMessage =
  | { readonly type: 'ready'; readonly role: string; readonly urls?: Readonly<Record<string, string>> }
  | { readonly type: 'metrics'; readonly role: string; readonly port: number };

export class ProcessLife {
  readonly #logger: Logger;
  readonly #parts: { name: string; stop: () => Promise<void> | void }[] = [];
  readonly #stopping = new AbortController();
  #deadlineMs: number;
  #isReady = false;

  constructor(logger: Logger, deadlineMs = 25_000) {
    this.#logger = logger;
    this.#deadlineMs = deadlineMs;
    process.on('SIGTERM', () => void this.stop('SIGTERM'));
    process.on('SIGINT', () => void this.stop('SIGINT'));
    // Children of a launcher that was killed must not live on.
    if (process.send) {
      process.on('disconnect', () => void this.stop('launcher gone'));
      // It may have died while this process was still loading.
      if (!process.connected) setImmediate(() => void this.stop('launcher gone'));
    }
    process.on('uncaughtException', (error) => this.#crash(error));
    process.on('unhandledRejection', (error) => this.#crash(error));
  }

  /** Aborts when the process begins to stop. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Registers a part; parts stop in reverse order of this. */
  add(name: string, stop: () => Promise<void> | void): void {
    this.#parts.push({ name, stop });
  }

  /** Tells the launcher, if there is one. `ready` is also remembered: until then no health check can say so. */
  tell(message: ProcessMessage): void {
    if (message.type === 'ready') this.#isReady = true;
    if (process.send && process.connected) process.send(message);
  }

  /** Ready between the role's own `ready` and the wish to stop. */
  examine(): ReturnType<Examine> {
    if (this.signal.aborted) return broken('stopping', 'Nothing: what is under way is being finished.');
    return this.#isReady ? well('running') : broken('starting', 'Wait; its log says what it waits for.');
  }

  /** Stops everything and exits. Idempotent. */
  async stop(reason: string, code = 0): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#logger.info({ reason }, 'stopping');
    const timer = setTimeout(() => {
      this.#logger.error({ seconds: this.#deadlineMs / 1000 }, 'did not stop in time; exiting anyway');
      process.exit(1);
    }, this.#deadlineMs);
    timer.unref();
    for (const part of this.#parts.reverse()) {
      try {
        await part.stop();
      } catch (error) {
        this.#logger.warn({ err: error, part: part.name }, 'stopping a part failed');
      }
    }
    process.exit(code);
  }

  #crash(error: unknown): void {
    this.#logger.fatal({ err: error }, 'unexpected error');
    process.exit(1);
  }
}
