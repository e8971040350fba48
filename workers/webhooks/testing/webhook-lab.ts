/** Redis, store, outbox reader and delivery worker for tests, with a shortened schedule; and jobs that end at once. */
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { JobRequest, JobStatus, WebhookWish } from '../../../shared/jobs/job.ts';
import { JobStore } from '../../../shared/jobs/store/job-store.ts';
import { AllowedHosts } from '../../../shared/net/url-policy.ts';
import { createLogger } from '../../../shared/observability/logger.ts';
import { createRegistry, type Registry } from '../../../shared/observability/metrics.ts';
import { startJob } from '../../../shared/testing/claim-job.ts';
import { jobRequest } from '../../../shared/testing/job-request.ts';
import { startTestRedis, type TestRedis } from '../../../shared/testing/redis.ts';
import type { BacklogBound } from '../delivery-log.ts';
import { defineDeliveryMetrics, defineDepthMetrics } from '../delivery-metrics.ts';
import { DeliveryWorker, type DeliveryWorkerOptions } from '../delivery-worker.ts';
import { OutboxReader } from '../read-outbox.ts';
import { openWebhookQueue, type WebhookQueue } from '../webhook-queue.ts';

export const mintSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

export interface Delivery {
  readonly registry: Registry;
  readonly queue: WebhookQueue;
  stop(): Promise<void>;
}

export class WebhookLab {
  readonly server: TestRedis;
  readonly redis: Redis;
  readonly store: JobStore;

  private constructor(server: TestRedis, redis: Redis) {
    this.server = server;
    this.redis = redis;
    this.store = new JobStore(redis);
  }

  static async start(): Promise<WebhookLab> {
    const server = await startTestRedis();
    const redis = new Redis(server.url, { maxRetriesPerRequest: null });
    redis.on('error', () => {});
    return new WebhookLab(server, redis);
  }

  /** Reader and worker in this process, as delivery-main starts them. */
  startDelivery(extra: Partial<DeliveryWorkerOptions> & { backlogBound?: BacklogBound } = {}): Delivery {
    const logger = createLogger('delivery', 'silent');
    const registry = createRegistry('delivery', 'test');
    const metrics = defineDeliveryMetrics(registry);
    const redis = new Redis(this.server.url, { maxRetriesPerRequest: null });
    redis.on('error', () => {});
    const queue = openWebhookQueue(redis);
    defineDepthMetrics(registry, redis, queue);
    const worker = new DeliveryWorker({
      redis,
      logger,
      metrics,
      allowed: new AllowedHosts(['127.0.0.1']),
      schedule: [0, 0.05, 0.05, 0.05, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2],
      // A receiver of a test answers at once: an attempt that is given up for a stall of the machine is made again.
      timeoutMs: 10_000,
      ...extra,
    });
    const consumer = randomBytes(4).toString('hex');
    const common = { redis, store: this.store, queue, logger, metrics, consumer };
    const reader = new OutboxReader({
      ...common,
      origin: 'https://api.example',
      claimIdleMs: 200,
      ...(extra.backlogBound && { backlogBound: extra.backlogBound }),
    });
    worker.start();
    reader.start();
    const stop = async () => {
      await reader.stop();
      await worker.stop();
      await queue.close();
      redis.disconnect();
    };
    return { registry, queue, stop };
  }

  async admit(webhook: WebhookWish, extra: Partial<JobRequest> = {}): Promise<JobRequest> {
    const job = jobRequest({ retentionSeconds: 600, webhook, ...extra });
    await this.store.admit(job, { input: [{ kind: 'text', text: 'hi' }], queueMax: 1e6, tenantMax: 1e6 });
    return job;
  }

  async finish(job: JobRequest, output: unknown = { x: 1 }, status: 'succeeded' | 'failed' = 'succeeded') {
    await startJob(this.redis, job);
    const { tenant, id } = job;
    await this.store.finish([{ tenant, id, kind: 'item', status, fragment: JSON.stringify(output) }]);
  }

  /** Admits, starts and finishes a job. */
  async runJob(url: string, extra: { secret?: string; events?: JobStatus[]; output?: unknown; tenant?: string } = {}) {
    const { secret = mintSecret(), events = ['succeeded'], output, tenant = 'default' } = extra;
    const job = await this.admit({ url, events, secret }, { tenant });
    await this.finish(job, output);
    return { ...job, secret };
  }

  async stop(): Promise<void> {
    this.redis.disconnect();
    await this.server.stop();
  }
}
