/**
 * What is known of a job's webhook deliveries: one Redis hash per job, written by the delivery process, read by the API.
 * A field per attempt, `a:<seq>:<attempt>`, and per event that is not delivered yet its pinned content, `p:<seq>`, so
 * that retries over three days do not need the job's record. Erasing the job deletes the hash, and so ends the retries.
 */
import { hash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { keys } from './keys.ts';
import type { JobRef } from './store/words.ts';

/** The BullMQ queue between outbox and deliveries; its failed set holds the events that were given up. */
export const webhookQueueName = 'webhooks';

/** One event to deliver, as that queue holds it. */
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
  /** attempts made before it was queued again by hand */
  readonly m?: number;
}

/** The same event gets the same id, so that reading an outbox entry twice queues it once. */
export function deliveryJobId(jobId: string, seq: number): string {
  return `${jobId}-${seq}`;
}

export function hashUrl(url: string): string {
  return hash('sha256', url, 'base64url').slice(0, 16);
}

/** One attempt as the API shows it. The URL's host only: paths and queries of receivers often hold tokens. */
export interface DeliveryAttempt {
  /** The event's number within the job; with the job's id it makes the `webhook-id`. */
  readonly seq: number;
  readonly event: string;
  /** From 1. */
  readonly attempt: number;
  readonly at: string;
  readonly host: string;
  readonly status_code: number | null;
  /** Slug of a problem, `disabled`, or null when the receiver answered 2xx. */
  readonly error: string | null;
  readonly ms: number;
  /** When the next attempt is due; null when there is none. */
  readonly next_at: string | null;
}

export const attemptField = (seq: number, attempt: number): string => `a:${seq}:${attempt}`;
export const pinnedField = (seq: number): string => `p:${seq}`;

/** All attempts, by event and number. Ten per event, and ten more each time it is queued again by hand. */
export async function readDeliveries(redis: Redis, { tenant, id }: JobRef): Promise<DeliveryAttempt[]> {
  const fields = await redis.hgetall(keys.deliveries(tenant, id));
  return Object.entries(fields)
    .filter(([field]) => field.startsWith('a:'))
    .map(([, json]) => JSON.parse(json) as DeliveryAttempt)
    .sort((a, b) => a.seq - b.seq || a.attempt - b.attempt);
}
