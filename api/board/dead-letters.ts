/**
 * What waits for a person: jobs that were set aside, webhook events that were given up, and URLs that were turned off.
 * Reads, and takes off the lists; running and sending again is `retry-job.ts` and `shared/jobs/redeliver.ts`.
 */
import type { Redis } from 'ioredis';
import { hashUrl, readDeliveries } from '../../shared/jobs/deliveries.ts';
import type { InspectedQueue } from '../../shared/jobs/inspect-queues.ts';
import { keys } from '../../shared/jobs/keys.ts';
import { enableHook, listDisabledHooks } from '../../shared/jobs/redeliver.ts';
import { readDeadLetters } from '../../shared/jobs/store/duties.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';

export const lettersPerPage = 50;
/** Tenants whose lists of URLs are looked into: a page is no report. */
const tenantsMax = 1000;
const hooksShownMax = 200;

export interface DeadJob {
  readonly ref: JobRef;
  readonly atMs: number;
  /** null when its retention is over. */
  readonly record: JobRecord | null;
  readonly reason: string;
}

export interface DeadEvent {
  readonly ref: JobRef;
  readonly seq: number;
  readonly queuedId: string;
  readonly receiver: string;
  readonly attempts: number;
  /** Status of the last answer, or why there was none. */
  readonly last: string;
  readonly atMs: number | undefined;
}

export interface DisabledHook {
  readonly tenant: string;
  readonly host: string;
  /** Names the URL without showing its path, which often holds a token. */
  readonly urlHash: string;
}

export async function listDeadJobs(redis: Redis, store: JobStore, page: number): Promise<DeadJob[]> {
  const letters = await readDeadLetters(redis, page * lettersPerPage, lettersPerPage);
  return await Promise.all(
    letters.map(async ({ ref, atMs }) => {
      const found = await store.readOutline(ref);
      const record = found === 'gone' ? null : found;
      return { ref, atMs, record, reason: record ? reasonOf(record) : 'Its retention is over: nothing is left of it.' };
    }),
  );
}

export async function countDeadJobs(redis: Redis): Promise<number> {
  return await redis.zcard(keys.dead);
}

/** Takes a job off the list. Its outcome stays what its owner reads. */
export async function dismissDeadJob(redis: Redis, { tenant, id }: JobRef): Promise<boolean> {
  return (await redis.zrem(keys.dead, `${tenant}/${id}`)) === 1;
}

export async function listDeadEvents(redis: Redis, queue: InspectedQueue, page: number): Promise<DeadEvent[]> {
  const jobs = await queue.getJobs(['failed'], page * lettersPerPage, (page + 1) * lettersPerPage - 1);
  return await Promise.all(
    jobs.filter(Boolean).map(async (job) => {
      const { t, i, n, o } = job.data as { t: string; i: string; n: number; o: string };
      const ref = { tenant: t, id: i };
      const made = (await readDeliveries(redis, ref)).filter(({ seq }) => seq === n);
      const last = made.at(-1);
      return {
        ref,
        seq: n,
        queuedId: job.id ?? '',
        receiver: o,
        attempts: last?.attempt ?? job.attemptsMade,
        last: last ? `${last.status_code ?? last.error}` : (job.failedReason ?? 'unknown'),
        atMs: job.finishedOn,
      };
    }),
  );
}

/** Gives the event up for good. False when it is not among the given-up ones. */
export async function dismissDeadEvent(queue: InspectedQueue, queuedId: string): Promise<boolean> {
  const job = await queue.getJob(queuedId);
  if (!job || (await job.getState()) !== 'failed') return false;
  await job.remove();
  return true;
}

export async function listAllDisabledHooks(redis: Redis): Promise<DisabledHook[]> {
  const tenants = (await redis.smembers(keys.tenants)).sort().slice(0, tenantsMax);
  const counts = await Promise.all(tenants.map((tenant) => redis.scard(keys.disabledHooks(tenant))));
  const hooks: DisabledHook[] = [];
  for (const tenant of tenants.filter((_, at) => (counts[at] ?? 0) > 0)) {
    for (const url of await listDisabledHooks(redis, tenant)) {
      if (hooks.length >= hooksShownMax) return hooks;
      hooks.push({ tenant, host: new URL(url).host, urlHash: hashUrl(url) });
    }
  }
  return hooks;
}

export async function enableHookByHash(redis: Redis, tenant: string, urlHash: string): Promise<boolean> {
  const url = (await listDisabledHooks(redis, tenant)).find((known) => hashUrl(known) === urlHash);
  return url !== undefined && (await enableHook(redis, tenant, url));
}

function reasonOf({ error, output, request }: JobRecord): string {
  if (error) return error.detail;
  const items = Array.isArray(output) ? (output as { error?: { type: string; detail: string } }[]) : [];
  const aside = items.filter((item) => item?.error?.type.endsWith('/poison-job'));
  const first = aside[0]?.error?.detail;
  return first ? `${aside.length} of ${request.items} items: ${first}` : 'Some of its items were set aside.';
}
