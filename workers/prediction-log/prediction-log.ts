/**
 * The record of predictions, put together: stream, spool, database, retention. Owns what the log writer process owns but
 * its HTTP port. `database()` is for readers; what they ask is under `queries/`.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskRecord } from '../../models/task.ts';
import { BlobStore } from '../../shared/blobs/blob-store.ts';
import { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { InputPolicy } from '../../shared/jobs/store/words.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import type { Registry } from '../../shared/observability/metrics.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import { type Database, databaseFault } from './database/open-database.ts';
import { DatabaseKeeper, type OpenDatabase } from './database-keeper.ts';
import { DriftMetrics } from './drift-metrics.ts';
import { KeptMedia } from './kept-media.ts';
import { defineLogMetrics, type LogMetrics } from './log-metrics.ts';
import { LogWriter } from './log-writer.ts';
import { PredictionStream } from './read-stream.ts';
import { forgetOld, type Retention } from './retention.ts';
import { Spool } from './spool.ts';

export interface PredictionLogOptions extends Retention {
  readonly redis: Redis;
  readonly dataDir: string;
  readonly policy: InputPolicy;
  readonly records: ReadonlyMap<string, TaskRecord>;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly open: OpenDatabase;
  /** An embedded database takes seconds of a core when it opens: not while the first jobs run. */
  readonly opensWhenIdle?: boolean;
}

/** Half a day of 200 predictions a second at 1 KB. Beyond it entries wait in Redis, and admission closes before that is full. */
const spoolBytesMax = 8 * 2 ** 30;
const choresEveryMs = 600_000;
/** So that drift is a metric soon after a start. */
const firstChoresMs = 60_000;
/** Nothing ended for so long: now is the time to open. */
const idleMs = 3000;
/** A system that is never idle must be recorded too. */
const idleWaitMs = 10_000;

export class PredictionLog {
  readonly keeper: DatabaseKeeper;
  readonly writer: LogWriter;
  readonly stream: PredictionStream;
  readonly spool: Spool;
  readonly media: KeptMedia;
  readonly metrics: LogMetrics;
  readonly drift: DriftMetrics;
  readonly #options: PredictionLogOptions;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #firstChores: NodeJS.Timeout | undefined;
  #chores: Promise<void> | undefined;
  #opening: Promise<void> | undefined;

  constructor(options: PredictionLogOptions) {
    const { redis, dataDir, logger, records, policy } = options;
    this.#options = options;
    const blobs = new BlobStore(dataDir);
    this.keeper = new DatabaseKeeper(options.open, logger);
    this.stream = new PredictionStream(redis);
    this.spool = new Spool(join(dataDir, 'prediction-spool'));
    this.media = new KeptMedia(dataDir, blobs, logger);
    const store = new JobStore(redis, (name) => blobs.readText(name));
    this.metrics = defineLogMetrics(options.registry, redis, {
      oldestMs: () => this.#oldestMs(),
      spoolBytes: () => this.spool.bytes,
      isDatabaseUp: () => this.keeper.db !== undefined,
    });
    this.drift = new DriftMetrics(options.registry);
    this.writer = new LogWriter({
      redis,
      stream: this.stream,
      spool: this.spool,
      keeper: this.keeper,
      media: this.media,
      entries: { store, media: this.media, records, policy, logger },
      metrics: this.metrics,
      logger,
      holder: `${hostname()}:${dataDir}`,
      spoolBytesMax,
    });
  }

  /** Opens the spool and begins to read; the database opens meanwhile, or when it is time. */
  async start(): Promise<void> {
    await this.spool.open();
    if (this.#options.opensWhenIdle) this.#opening = this.#openWhenIdle();
    else this.keeper.want();
    this.writer.start();
    this.#timer = setInterval(() => this.#doChores(), choresEveryMs);
    this.#firstChores = setTimeout(() => this.#doChores(), firstChoresMs);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#timer);
    clearTimeout(this.#firstChores);
    await this.#opening;
    await this.writer.stop();
    await this.#chores;
    await this.spool.close();
    await this.keeper.stop();
  }

  /** True as long as the database has not been needed. */
  get isIdle(): boolean {
    return !this.keeper.isWanted;
  }

  /** When something waits for it and nothing more came for a while. A question opens it at once. */
  async #openWhenIdle(): Promise<void> {
    const { signal } = this.#stopping;
    let since = performance.now();
    let seen = 0;
    let quietSince = since;
    while (!signal.aborted && !this.keeper.isWanted) {
      await sleep(250, undefined, { signal }).catch(() => {});
      const now = performance.now();
      const waiting = this.spool.bytes;
      if (waiting !== seen) quietSince = now;
      if (waiting === 0) since = now;
      seen = waiting;
      if (waiting > 0 && (now - quietSince > idleMs || now - since > idleWaitMs)) this.keeper.want();
    }
  }

  /** Never twice at once. What fails is tried again the next time. */
  #doChores(): void {
    const { db } = this.keeper;
    if (!db || this.#chores || !this.writer.isHolding) return;
    this.#chores = this.#runChores(db)
      .catch((error) => this.#options.logger.warn({ fault: databaseFault(error) }, 'prediction log: chores failed'))
      .finally(() => {
        this.#chores = undefined;
      });
  }

  async #runChores(db: Database): Promise<void> {
    const rows = await forgetOld(db, this.media, this.#options, Date.now(), this.#stopping.signal);
    this.metrics.rows.inc({ result: 'expired' }, rows);
    await this.drift.refresh(db, Date.now());
  }

  async #oldestMs(): Promise<number | null> {
    const waiting = [this.spool.oldestMs, await this.stream.oldestMs()].filter((ms) => ms !== null);
    return waiting.length > 0 ? Math.min(...waiting) : null;
  }
}
