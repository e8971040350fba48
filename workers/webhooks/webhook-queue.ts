/** The BullMQ queue between outbox and deliveries. It carries references; what is sent is pinned in the delivery log. */
import { Queue } from 'bullmq';
import { keys } from '../../shared/jobs/keys.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import { retrySchedule } from './retry-schedule.ts';

export const webhookQueueName = 'webhooks';

/** One event to deliver. */
export interface DeliveryJob {
  /** tenant */
  readonly t: string;
  /** job id */
  readonly i: string;
  /** the event's number within the job */
  readonly n: number;
  /** origin of the receiver, so that its gate is asked before anything is read */
  readonly o: string;
  /** hash of the receiver's URL, for its backlog */
  readonly u: string;
}

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

/** The same event gets the same id, so that reading an outbox entry twice queues it once. */
export function deliveryJobId(jobId: string, seq: number): string {
  return `${jobId}-${seq}`;
}
