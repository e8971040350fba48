/** An API and a worker whose models run on servers elsewhere, in one process over a real Redis, and a caller of them. */
import type { Redis } from 'ioredis';
import sharp from 'sharp';
import { type Answer, Client } from '../../../api/testing/client.ts';
import { startTestApi, type TestApi } from '../../../api/testing/test-api.ts';
import type { ModelFiles } from '../../../models/repository/model-files.ts';
import { toUpstream, upstreamSchema } from '../../../models/repository/upstream.ts';
import { modelFiles } from '../../../models/testing/model-files.ts';
import { BlobStore } from '../../../shared/blobs/blob-store.ts';
import { readSettings } from '../../../shared/config/settings.ts';
import { keys } from '../../../shared/jobs/keys.ts';
import { createLogger } from '../../../shared/observability/logger.ts';
import { createRegistry, type Registry } from '../../../shared/observability/metrics.ts';
import type { Tracing } from '../../../shared/observability/tracing/span.ts';
import { connectConsumer } from '../../../shared/redis/connection.ts';
import { startTestRedis, type TestRedis } from '../../../shared/testing/redis.ts';
import { waitUntil } from '../../../shared/testing/wait-until.ts';
import { InferenceWorker } from '../../inference-worker.ts';

/** `words` as a manifest's `upstream` has them. */
export function upstreamModel(id: string, url: string, words: Readonly<Record<string, unknown>> = {}): ModelFiles {
  const upstream = toUpstream(upstreamSchema.parse({ kind: 'openai-chat', url, model: 'tiny', ...words }));
  const revision = JSON.stringify(upstream).slice(0, 300);
  return modelFiles({ id, task: 'image-to-text', dtype: '', upstream, revision });
}

export interface Wish {
  readonly priority?: 'high' | 'normal' | 'low';
  readonly timeout?: number;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly headers?: Record<string, string>;
}

export class UpstreamLab {
  readonly api: TestApi;
  readonly client: Client;
  readonly worker: InferenceWorker;
  readonly registry: Registry;
  readonly #server: TestRedis;
  readonly #consumer: Redis;
  readonly #picture: string;

  private constructor(parts: { server: TestRedis; api: TestApi; consumer: Redis; picture: string; rest: WorkerRest }) {
    this.#server = parts.server;
    this.#consumer = parts.consumer;
    this.#picture = parts.picture;
    this.api = parts.api;
    this.client = new Client(parts.api.url);
    this.registry = createRegistry('worker', 'test');
    this.worker = new InferenceWorker({
      device: 'cpu',
      settings: { ...readSettings({ MILLRACE_PREDICTIONS: 'off' }), lanesPerWorker: 1 },
      redis: parts.consumer,
      blobs: new BlobStore(parts.api.dataDir),
      registry: this.registry,
      logger: createLogger('test', 'silent'),
      ...parts.rest,
    });
  }

  static async start(rest: WorkerRest): Promise<UpstreamLab> {
    const server = await startTestRedis();
    const api = await startTestApi(server.url, { models: rest.models, ...(rest.tracing && { tracing: rest.tracing }) });
    const consumer = connectConsumer(server.url, createLogger('test', 'silent'));
    const lab = new UpstreamLab({ server, api, consumer, picture: await drawPicture(), rest });
    await lab.worker.start();
    return lab;
  }

  async stop(): Promise<void> {
    await this.worker.stop();
    await this.api.close();
    this.#consumer.disconnect();
    await this.#server.stop();
  }

  /** A job of one item, or of one per prompt: the caller's prompt stands in the parameters, so a list shares one. */
  async submit(model: string, prompt: string, wish: Wish = {}): Promise<Answer> {
    const { headers = {}, parameters, ...rest } = wish;
    const input = { data: this.#picture };
    return await this.client.submit({ model, input, parameters: { prompt, ...parameters }, ...rest }, headers);
  }

  /** The job when it has ended. */
  async ended(model: string, prompt: string, wish: Wish = {}): Promise<Answer['job']> {
    const { job } = await this.submit(model, prompt, wish);
    return await this.end(job.id);
  }

  async end(id: string, timeoutMs = 90_000): Promise<Answer['job']> {
    let job: Answer['job'] | undefined;
    const isOver = async () => {
      job = (await this.client.read(id)).job;
      return job.status !== 'queued' && job.status !== 'processing';
    };
    await waitUntil(`job ${id} ends`, isOver, timeoutMs);
    return job as Answer['job'];
  }

  /** As `npm run models -- load` says it: try now. */
  async load(model: string): Promise<void> {
    await this.api.redis.publish(keys.control, `models ${model}`);
  }

  /** By what came of them, over all models. */
  async callsThatWere(result: string): Promise<number> {
    const metric = this.registry.getSingleMetric('inference_upstream_calls_total');
    const values = (await metric?.get())?.values ?? [];
    return values.filter(({ labels }) => labels['result'] === result).reduce((sum, { value }) => sum + value, 0);
  }

  async until(model: string, state: string, timeoutMs = 30_000): Promise<string | null> {
    await waitUntil(`${model} is ${state}`, () => this.worker.models.get(model)?.state === state, timeoutMs);
    return this.worker.models.get(model)?.error ?? null;
  }
}

interface WorkerRest {
  readonly models: readonly ModelFiles[];
  readonly tracing?: Tracing;
}

async function drawPicture(): Promise<string> {
  const png = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#3060c0' } })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}
