/** Unfinished jobs per tenant, straight from Redis: no metric has a tenant's name. Connects once, and again when lost. */
import { readLiveCounts } from '../../shared/jobs/inspect-queues.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { connectProducer, type Redis, untilReady } from '../../shared/redis/connection.ts';
import type { TenantRow } from './view.ts';

const redisMs = 2000;

export class Tenants {
  readonly #redis: Redis | undefined;

  constructor(url: string | undefined) {
    this.#redis = url === undefined ? undefined : connectProducer(url, createLogger('top', 'silent'), redisMs);
  }

  /** The busiest first; null when Redis can not be asked. */
  async read(): Promise<TenantRow[] | null> {
    if (!this.#redis) return null;
    try {
      await untilReady(this.#redis, redisMs);
      const { tenants } = await readLiveCounts(this.#redis);
      return tenants.map(({ name, unfinished }) => ({ name, unfinished })).sort((a, b) => b.unfinished - a.unfinished);
    } catch {
      return null;
    }
  }

  stop(): void {
    this.#redis?.disconnect();
  }
}
