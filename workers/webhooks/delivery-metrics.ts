/** Metrics of the delivery process. Depths and lag are read from Redis when they are scraped, by whoever is asked. */
import { keys } from '../../shared/jobs/keys.ts';
import { redisNowMs } from '../../shared/jobs/store/duties.ts';
import { collectWithin } from '../../shared/observability/collect-within.ts';
import { Counter, Gauge, Histogram, type Registry, secondsBuckets } from '../../shared/observability/metrics.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import type { WebhookQueue } from './webhook-queue.ts';

/**
 * How a look at an event ended. `retry`: failed, tried again later; `dead`: failed for good; `gone`: nothing to send;
 * `refused`: its URL has too many undelivered ones.
 */
export type DeliveryResult = (typeof deliveryResults)[number];
const deliveryResults = ['delivered', 'retry', 'dead', 'disabled', 'gone', 'refused'] as const;

export interface DeliveryMetrics {
  readonly deliveries: Counter<'result'>;
  readonly attemptSeconds: Histogram;
}

export function defineDeliveryMetrics(registry: Registry): DeliveryMetrics {
  const deliveries = new Counter({
    name: 'inference_webhook_deliveries_total',
    help: 'Webhook attempts by result.',
    labelNames: ['result'],
    registers: [registry],
  });
  for (const result of deliveryResults) deliveries.inc({ result }, 0);
  return {
    deliveries,
    attemptSeconds: new Histogram({
      name: 'inference_webhook_attempt_seconds',
      help: 'Seconds from the start of an attempt to its answer or failure.',
      buckets: secondsBuckets,
      registers: [registry],
    }),
  };
}

export function defineDepthMetrics(registry: Registry, redis: Redis, queue: WebhookQueue): void {
  new Gauge({
    name: 'inference_webhook_outbox_lag_seconds',
    help: 'Age of the oldest event that is not queued for delivery yet.',
    registers: [registry],
    async collect() {
      this.remove();
      const seconds = await collectWithin(() => outboxLagSeconds(redis));
      if (seconds !== undefined) this.set(seconds);
    },
  });
  new Gauge({
    name: 'inference_webhook_queue_jobs',
    help: 'Events in the delivery queue by state; `failed` are the dead letters.',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      this.reset();
      const counts = await collectWithin(() => queue.getJobCounts('wait', 'active', 'delayed', 'failed'));
      for (const [state, count] of Object.entries(counts ?? {})) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'inference_webhook_endpoints_disabled',
    help: 'URLs, over all tenants, that answered 410 and get nothing more.',
    registers: [registry],
    async collect() {
      this.remove();
      const disabled = await collectWithin(() => countDisabled(redis));
      if (disabled !== undefined) this.set(disabled);
    },
  });
}

/** Tenants are as many as the operator gave keys to. */
async function countDisabled(redis: Redis): Promise<number> {
  const tenants = await redis.smembers(keys.tenants);
  const counts = await Promise.all(tenants.map((tenant) => redis.scard(keys.disabledHooks(tenant))));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function outboxLagSeconds(redis: Redis): Promise<number> {
  const [oldest] = await redis.xrange(keys.outbox, '-', '+', 'COUNT', 1);
  if (!oldest) return 0;
  return Math.max(0, (await redisNowMs(redis)) - Number.parseInt(oldest[0], 10)) / 1000;
}
