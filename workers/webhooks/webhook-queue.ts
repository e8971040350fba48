/** The BullMQ queue between outbox and deliveries. It carries references; what is sent is pinned in the delivery log. */
import { Queue } from 'bullmq';
import { type DeliveryJob, webhookQueueName } from '../../shared/jobs/deliveries.ts';
import { keys } from '../../shared/jobs/keys.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import { retrySchedule } from './retry-schedule.ts';

export type WebhookQueue = Queue<DeliveryJob>;

/** BullMQ's failed set is the list of dead letters: the newest 10,000 of the last 30 days, shown and retried there. */
const deadLetters = { count: 10_000, age: 30 * 86_400 } as const;

export function openWebhookQueue(redis: Redis, attempts: number = retrySchedule.length): WebhookQueue {
  const queue = new Queue<DeliveryJob>(webhookQueueName, {
    connection: redis,
    prefix: keys.queuePrefix,
    streams: { events: { maxLen: 10 } },
    skipVersionCheck: true,
    defaultJobOptions: {
      attempts,
      backoff: { type: 'schedule' },
      removeOnComplete: true,
      removeOnFail: deadLetters,
      stackTraceLimit: 0,
    },
  });
  queue.on('error', () => {}); // The connection logs its own errors once.
  return queue;
}
