/**
 * What is known of a job's webhook deliveries: one Redis hash per job, written by the delivery process, read by the API.
 * A field per attempt, `a:<seq>:<attempt>`, and per event that is not delivered yet its pinned content, `p:<seq>`, so
 * that retries over three days do not need the job's record. Erasing the job deletes the hash, and so ends the retries.
 */
import type { Redis } from 'ioredis';
import { keys } from './keys.ts';
import type { JobRef } from './store/words.ts';

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

/** All attempts, by event and number. At most ten per event, so a few dozen. */
export async function readDeliveries(redis: Redis, { tenant, id }: JobRef): Promise<DeliveryAttempt[]> {
  const fields = await redis.hgetall(keys.deliveries(tenant, id));
  return Object.entries(fields)
    .filter(([field]) => field.startsWith('a:'))
    .map(([, json]) => JSON.parse(json) as DeliveryAttempt)
    .sort((a, b) => a.seq - b.seq || a.attempt - b.attempt);
}
