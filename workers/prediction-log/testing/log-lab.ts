/** A log writer on a real Redis with a database of either kind, fed by the store's own scripts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { Redis } from 'ioredis';
import { loadRecords } from '../../../models/discover-tasks.ts';
import { BlobStore } from '../../../shared/blobs/blob-store.ts';
import type { StoredInput } from '../../../shared/jobs/job.ts';
import { JobStore } from '../../../shared/jobs/store/job-store.ts';
import type { InputMark, InputPolicy } from '../../../shared/jobs/store/words.ts';
import { createLogger } from '../../../shared/observability/logger.ts';
import { createRegistry, type Registry } from '../../../shared/observability/metrics.ts';
import { startJob } from '../../../shared/testing/claim-job.ts';
import { jobRequest } from '../../../shared/testing/job-request.ts';
import { waitUntil } from '../../../shared/testing/wait-until.ts';
import { rowsOf } from '../apply-steps.ts';
import { type Database, openPglite, openPostgres } from '../database/open-database.ts';
import { PredictionLog } from '../prediction-log.ts';

export interface LabWish {
  readonly redisUrl: string;
  /** Absent: PGlite. */
  readonly databaseUrl?: string;
  readonly policy?: InputPolicy;
  readonly dataDir?: string;
}

export interface SampleJob {
  readonly tenant?: string;
  readonly model?: string;
  readonly texts?: readonly string[];
  readonly label?: string;
  readonly score?: number;
}

export class LogLab {
  readonly redis: Redis;
  readonly store: JobStore;
  readonly blobs: BlobStore;
  readonly dataDir: string;
  readonly registry: Registry = createRegistry('log', 'test');
  readonly #wish: LabWish;
  #log: PredictionLog | undefined;

  static async open(wish: LabWish): Promise<LogLab> {
    const dataDir = wish.dataDir ?? (await mkdtemp(join(tmpdir(), 'millrace-log-')));
    return new LogLab(wish, dataDir);
  }

  constructor(wish: LabWish, dataDir: string) {
    this.#wish = wish;
    this.dataDir = dataDir;
    this.redis = new Redis(wish.redisUrl, { maxRetriesPerRequest: null });
    this.redis.on('error', () => {});
    this.blobs = new BlobStore(dataDir);
    this.store = new JobStore(this.redis, (name) => this.blobs.readText(name), wish.policy ?? 'hash');
  }

  get log(): PredictionLog {
    if (!this.#log) throw new Error('The log writer of this lab is not started.');
    return this.#log;
  }

  async startWriter(): Promise<PredictionLog> {
    const { databaseUrl } = this.#wish;
    this.#log = new PredictionLog({
      redis: this.redis,
      dataDir: this.dataDir,
      policy: this.#wish.policy ?? 'hash',
      records: await loadRecords(),
      registry: this.registry,
      logger: createLogger('log', (process.env['LAB_LOG'] as 'warn') ?? 'silent'),
      open: (onError) =>
        databaseUrl ? openPostgres(databaseUrl, onError) : openPglite(join(this.dataDir, 'predictions')),
      days: 90,
      inputDays: 30,
    });
    await this.#log.start();
    return this.#log;
  }

  async stopWriter(): Promise<void> {
    await this.#log?.stop();
    this.#log = undefined;
    this.registry.clear();
  }

  /** A text job that runs and ends with one span per text, through the store's scripts. */
  async runJob({
    tenant = 'default',
    model = 'ner',
    texts = ['milk 3.2%'],
    label = 'PERCENT',
    score = 0.9,
  }: SampleJob = {}) {
    const input: StoredInput[] = texts.map((text) => ({ kind: 'text', text }));
    const marks: InputMark[] = texts.map((text) => ['text', `sha-of-${text.length}`, text.length]);
    const job = jobRequest({
      tenant,
      task: 'token-classification',
      model,
      items: texts.length,
      retentionSeconds: 3600,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
    await this.store.admit(job, { input, marks, queueMax: 1e9, tenantMax: 1e9 });
    await startJob(this.redis, job, '7');
    await this.store.finish(
      texts.map((text, index) => ({
        tenant,
        id: job.id,
        kind: 'item',
        status: 'succeeded',
        index,
        fragment: JSON.stringify([{ entity_group: label, score, word: text.slice(0, 4), start: 0, end: 4 }]),
        prepareSeconds: 0.001,
        computeSeconds: 0.002,
        batchRows: 3,
      })),
    );
    return job;
  }

  async until(what: string, condition: (db: Database) => Promise<boolean>, timeoutMs = 90_000): Promise<void> {
    await waitUntil(
      what,
      async () => {
        const { db } = this.log.keeper;
        return db !== undefined && (await condition(db));
      },
      timeoutMs,
    );
  }

  async rows(where = 'true'): Promise<Record<string, unknown>[]> {
    const { db } = this.log.keeper;
    return db ? await rowsOf(db, sql.raw(`SELECT * FROM millrace.predictions WHERE ${where} ORDER BY job, item`)) : [];
  }

  async close(): Promise<void> {
    await this.stopWriter();
    this.redis.disconnect();
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}
