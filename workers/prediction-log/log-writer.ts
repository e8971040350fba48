/**
 * Carries ended jobs from the stream into the database, in order: straight while it is up, by way of the spool while it is
 * away or behind. An entry leaves Redis only when its rows are committed or fsynced. Dies at any point without loss: what
 * was not forgotten in Redis is read again, and rows have ids.
 *
 *   standby (another has the lease) -> writing <-> spooling (the database is away, or the spool is not empty)
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { dropLease, holdLease, startRetention } from '../../shared/jobs/store/duties.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import { type Applied, applySteps } from './apply-steps.ts';
import type { Database } from './database/open-database.ts';
import type { DatabaseKeeper } from './database-keeper.ts';
import type { KeptMedia } from './kept-media.ts';
import type { LogMetrics } from './log-metrics.ts';
import type { LogStep } from './log-step.ts';
import type { PredictionStream } from './read-stream.ts';
import type { Spool } from './spool.ts';
import { type StepParts, stepsOf } from './steps-of-entries.ts';

export interface LogWriterOptions {
  readonly redis: Redis;
  readonly stream: PredictionStream;
  readonly spool: Spool;
  readonly keeper: DatabaseKeeper;
  readonly media: KeptMedia;
  readonly entries: StepParts;
  readonly metrics: LogMetrics;
  readonly logger: Logger;
  /** The same after a restart, so that a writer that was killed is succeeded at once. */
  readonly holder: string;
  /** Above it the stream is not read on: it grows, and admission closes on Redis' memory. */
  readonly spoolBytesMax?: number;
}

const leaseName = 'prediction-log';
/** PGlite can hold this thread for 12 s when it opens. */
const leaseMs = 30_000;
const renewMs = 5000;
const entriesPerRead = 500;
const blockMs = 1000;
/**
 * Few entries wait so long for company. A statement costs an embedded database 5 ms, however few its rows: with 50 ms, 30
 * jobs a second took 1.75 ms of CPU each.
 */
const lingerMs = 1000;
/** How often it looks whether the spool holds something. */
const idleMs = 250;
/** How often it looks whether there is company enough. */
const lookMs = 50;
const pauseMs = 500;
/** Entries of another release are looked at again so often. */
const rewindMs = 60_000;

export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #stopping = new AbortController();
  #running: Promise<unknown> | undefined;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #rewoundAtMs = performance.now();
  #isHolding = false;
  #isBusy = false;
  #lastFault = '';

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = Promise.all([this.#write(), this.#drain()]);
  }

  /** Resolves when the batch under way is stored, and the next writer may take over. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#options.stream.stop();
    await this.#running;
    if (!this.#isHolding) return;
    this.#isHolding = false;
    await dropLease(this.#options.redis, leaseName, this.#options.holder);
  }

  /** False while another process is the writer. */
  get isHolding(): boolean {
    return this.#isHolding;
  }

  /** True when the database has everything that ended up to now. */
  async isCaughtUp(): Promise<boolean> {
    const { stream, spool } = this.#options;
    return spool.isEmpty && !this.#isBusy && (await stream.length()) === 0;
  }

  async #write(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (await this.#hold()) await this.#writeSome();
        else await sleep(pauseMs, undefined, { signal });
        this.#lastFault = '';
      } catch (error) {
        if (signal.aborted) return;
        this.#warn(error, 'prediction log: entries wait in Redis');
        await sleep(pauseMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #writeSome(): Promise<void> {
    const { stream, spool, redis } = this.#options;
    if (spool.bytes > (this.#options.spoolBytesMax ?? Number.POSITIVE_INFINITY)) throw new Error('the spool is full');
    let entries = await stream.read(entriesPerRead, blockMs);
    if (entries.length > 0 && entries.length < entriesPerRead) {
      await this.#linger();
      entries = await stream.read(entriesPerRead, 0);
    }
    if (entries.length === 0) return this.#rewindSometimes();
    this.#isBusy = true;
    try {
      const { steps, handled, awaited } = await stepsOf(entries, this.#options.entries);
      if (steps.length > 0) await this.#store(steps);
      await stream.pass(entries, handled);
      for (const job of awaited) await startRetention(redis, job, job.retentionSeconds);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Until a whole read has come together, or the first of it has waited long enough. */
  async #linger(): Promise<void> {
    const { signal } = this.#stopping;
    const untilMs = performance.now() + lingerMs;
    while (performance.now() < untilMs && !signal.aborted) {
      await sleep(lookMs);
      if ((await this.#options.stream.length()) >= entriesPerRead) return;
    }
  }

  /** Into the database when it has all that came before, else onto disk. */
  async #store(steps: readonly LogStep[]): Promise<void> {
    const { spool, keeper } = this.#options;
    const { db } = keeper;
    if (db && spool.isEmpty && (await this.#apply(db, steps))) return;
    await spool.append(steps);
    const rows = steps.reduce((sum, step) => sum + (step.kind === 'rows' ? step.rows : 0), 0);
    this.#options.metrics.rows.inc({ result: 'spooled' }, rows);
  }

  /** Brings what waits on disk to the database as soon as it is back. */
  async #drain(): Promise<void> {
    const { spool, keeper } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const { db } = keeper;
        const chunk = db && this.#isHolding ? await spool.read() : null;
        if (db && chunk && (await this.#apply(db, chunk.steps))) await chunk.done();
        else await sleep(chunk ? pauseMs : idleMs, undefined, { signal });
      } catch (error) {
        if (signal.aborted) return;
        this.#warn(error, 'prediction log: the spool can not be read');
        await sleep(pauseMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** False when the database is away; then nothing of them counts. */
  async #apply(db: Database, steps: readonly LogStep[]): Promise<boolean> {
    const { keeper, media } = this.#options;
    const metrics = this.#options.metrics;
    const stopTimer = metrics.writeSeconds.startTimer();
    let applied: Applied;
    try {
      applied = await applySteps(db, steps);
    } catch (error) {
      keeper.lost(error);
      return false;
    }
    stopTimer();
    for (const result of ['recorded', 'known', 'refused', 'erased'] as const)
      metrics.rows.inc({ result }, applied[result]);
    if (applied.refused > 0)
      this.#options.logger.error({ rows: applied.refused }, 'prediction log: rows refused for what they hold');
    await media.remove(applied.media);
    return true;
  }

  async #hold(): Promise<boolean> {
    if (this.#isHolding && performance.now() - this.#renewedAtMs < renewMs) return true;
    const isHolding = await holdLease(this.#options.redis, leaseName, this.#options.holder, leaseMs);
    // Another may have been the writer meanwhile, and died.
    if (isHolding && !this.#isHolding) this.#options.stream.rewind();
    this.#isHolding = isHolding;
    this.#renewedAtMs = performance.now();
    return isHolding;
  }

  #rewindSometimes(): void {
    if (performance.now() - this.#rewoundAtMs < rewindMs) return;
    this.#rewoundAtMs = performance.now();
    this.#options.stream.rewind();
  }

  #warn(error: unknown, message: string): void {
    const fault = error instanceof Error ? error.message : String(error);
    if (fault !== this.#lastFault) this.#options.logger.warn({ err: error }, message);
    this.#lastFault = fault;
  }
}
