/** What makes webhook delivery ready: Redis answers, the outbox is read, and events are taken from the queue. */
import { broken, examineRedis, type Health, well } from '../../shared/processes/health.ts';
import type { Redis } from '../../shared/redis/connection.ts';

export interface DeliveryParts {
  readonly redis: Redis;
  readonly worker: { readonly isRunning: boolean };
  readonly reader: { readonly readAgoMs: number };
}

/** Three of the reader's idle rounds of 5 s: one late answer of Redis is not taken for a reader that hangs. */
const readAgoMsMax = 15_000;

export function addDeliveryHealth(health: Health, { redis, worker, reader }: DeliveryParts): void {
  health.add('redis', examineRedis(redis));
  health.add('outbox', () => {
    const agoMs = reader.readAgoMs;
    const detail = Number.isFinite(agoMs) ? `read ${(agoMs / 1000).toFixed(1)} s ago` : 'not read yet';
    return agoMs <= readAgoMsMax ? well(detail) : broken(detail, 'The log says why; restart the delivery process.');
  });
  health.add('deliveries', () =>
    worker.isRunning ? well('taken from the queue') : broken('not taken', 'Restart the delivery process.'),
  );
}
