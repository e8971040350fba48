/** Workers one after the other on one Redis and one data directory, with a fake engine: real BullMQ and lane processes. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { mergeItem } from '../../models/preparation/merge-item.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import { BlobStore } from '../../shared/blobs/blob-store.ts';
import { readSettings, type Settings } from '../../shared/config/settings.ts';
import { isOutcome, type JobRequest } from '../../shared/jobs/job.ts';
import { type JobRecord, JobStore } from '../../shared/jobs/store/job-store.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { createRegistry } from '../../shared/observability/metrics.ts';
import { connectConsumer, connectProducer } from '../../shared/redis/connection.ts';
import { jobRequest } from '../../shared/testing/job-request.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { InferenceWorker } from '../inference-worker.ts';
import type { FakeContext } from '../lane/fake-lane.ts';
import type { InferenceWorkerParts } from '../worker-parts.ts';

const logger = createLogger('test', 'silent');

export class WorkerLab {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'millrace-'));
  readonly logger = logger;
  readonly #server: TestRedis;
  readonly #producer: Redis;
  readonly #blobs: BlobStore;

  private constructor(server: TestRedis) {
    this.#server = server;
    this.#producer = connectProducer(server.url, logger);
    this.#blobs = new BlobStore(this.dataDir);
  }

  static async open(): Promise<WorkerLab> {
    const lab = new WorkerLab(await startTestRedis());
    await lab.#blobs.open();
    await waitUntil('producer is ready', () => lab.#producer.status === 'ready');
    return lab;
  }

  async close(): Promise<void> {
    this.#producer.disconnect();
    await this.#server.stop();
  }

  /** A worker of one lane, as long as `body` takes; what its metrics said at the end. A row's text says how many ms it takes. */
  async live(
    models: readonly ModelFiles[],
    parts: Partial<Pick<InferenceWorkerParts, 'costs'>> & { readonly settings?: Partial<Settings> },
    body: () => Promise<void>,
  ): Promise<string> {
    const redis = connectConsumer(this.#server.url, logger);
    const registry = createRegistry('worker', 'test');
    const settings = { ...readSettings({ MILLRACE_PREDICTIONS: 'off' }), lanesPerWorker: 1, ...parts.settings };
    const common = { device: 'cpu', redis, blobs: this.#blobs, registry, logger };
    const worker = new InferenceWorker({ ...common, ...parts, settings, models, engine: fakeEngine });
    await worker.start();
    await body();
    const metrics = await registry.metrics();
    await worker.stop();
    redis.disconnect();
    return metrics;
  }

  /** Submits a job of one row that takes so many ms. */
  async submit(model: string, ms: number): Promise<JobRequest> {
    const job = jobRequest({ model, items: 1, retentionSeconds: 600 });
    const input = [{ kind: 'text', text: String(ms) } as const];
    await new JobStore(this.#producer).admit(job, { input, queueMax: 1e6, tenantMax: 1e6 });
    return job;
  }

  async outcome(job: JobRequest): Promise<JobRecord> {
    const store = new JobStore(this.#producer);
    const read = async () => {
      const record = await store.read(job);
      return record !== null && record !== 'gone' && isOutcome(record.status) ? record : null;
    };
    await waitUntil('the job ends', async () => (await read()) !== null, 90_000);
    return (await read()) as JobRecord;
  }
}

const fakeEngine: NonNullable<InferenceWorkerParts['engine']> = {
  laneEntry: join(import.meta.dirname, '../lane/fake-lane.ts'),
  preparer: {
    async prepare(input) {
      const ms = input.kind === 'text' ? Number(input.text) : 0;
      const context = { does: 'echo', says: 'done', ms } satisfies FakeContext;
      return [{ tensors: {}, length: 1, shapeKey: 'x', context }];
    },
    merge: mergeItem,
    async warm() {},
    async close() {},
  },
};
