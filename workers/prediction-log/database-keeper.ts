/**
 * Keeps the database open, however often it goes away.
 *
 *   closed -> opening -> up -> (a write failed) -> opening ...     any -> stopped
 *
 * Opens when it is first wanted: PGlite takes seconds of this process's thread. Who writes says when it failed; a read that
 * fails says nothing of the database.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../shared/observability/logger.ts';
import { type Database, databaseFault, type OpenedDatabase } from './database/open-database.ts';

/** Gives up when the signal says so. */
export type OpenDatabase = (onError: (error: Error) => void, signal: AbortSignal) => Promise<OpenedDatabase>;

const pauseMs = { min: 250, max: 5000 };
/** A pool that waits for a frozen server is left behind. */
const closeMs = 5000;

export class DatabaseKeeper {
  readonly #open: OpenDatabase;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #opened: OpenedDatabase | undefined;
  #opening: Promise<void> | undefined;
  #fault = 'not opened yet';
  #isWanted = false;

  constructor(open: OpenDatabase, logger: Logger) {
    this.#open = open;
    this.#logger = logger;
  }

  /** The open database; undefined while it is away. */
  get db(): Database | undefined {
    return this.#opened?.db;
  }

  /** The same for the questions of callers. */
  get asked(): Database | undefined {
    return this.#opened?.asked;
  }

  /** Why it is away, in words. */
  get fault(): string | null {
    return this.#opened ? null : this.#fault;
  }

  /** Its code alone: words of a driver hold addresses, users and databases, which are not for callers. */
  get faultCode(): string | undefined {
    return this.fault?.split(':')[0];
  }

  /** True once somebody needed it. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** Begins to open it, and goes on until it is open. */
  want(): void {
    this.#isWanted = true;
    if (this.#opened || this.#opening || this.#stopping.signal.aborted) return;
    this.#opening = this.#openUntilUp().finally(() => {
      this.#opening = undefined;
    });
  }

  /** A write failed: what is open counts as away and is opened again. */
  lost(error: unknown): void {
    const opened = this.#opened;
    if (!opened) return;
    this.#opened = undefined;
    this.#say(error);
    void closeInTime(opened);
    this.want();
  }

  /** Resolves when it is up (true), or after `timeoutMs` (false). */
  async untilUp(timeoutMs: number): Promise<boolean> {
    this.want();
    const deadline = performance.now() + timeoutMs;
    while (!this.#opened && performance.now() < deadline && !this.#stopping.signal.aborted) await sleep(25);
    return this.#opened !== undefined;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#opening;
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened) await closeInTime(opened);
  }

  async #openUntilUp(): Promise<void> {
    const { signal } = this.#stopping;
    for (let pause = pauseMs.min; !signal.aborted; pause = Math.min(pause * 2, pauseMs.max)) {
      const startedAt = performance.now();
      try {
        const onError = (error: Error) => this.#logger.debug({ fault: databaseFault(error) }, 'idle connection lost');
        const opened = await this.#open(onError, signal);
        if (signal.aborted) return await closeInTime(opened);
        this.#opened = opened;
        const ms = Math.round(performance.now() - startedAt);
        this.#logger.info({ database: opened.kind, ms }, 'prediction log: database is open');
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#say(error);
        await sleep(pause, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Once per kind of fault: a database that is away for an hour is one line. */
  #say(error: unknown): void {
    const { code, message } = databaseFault(error);
    const fault = `${code}: ${message}`;
    if (fault !== this.#fault) this.#logger.warn({ code, fault: message }, 'prediction log: database is away');
    this.#fault = fault;
  }
}

async function closeInTime(opened: OpenedDatabase): Promise<void> {
  const late = new AbortController();
  await Promise.race([
    opened.close().catch(() => {}),
    sleep(closeMs, undefined, { signal: late.signal }).catch(() => {}),
  ]);
  late.abort();
}
