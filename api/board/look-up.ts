/** The pages that show: overview, tenants, one job, dead letters. Each reads what it needs and changes nothing. */
import { readDeliveries, webhookQueueName } from '../../shared/jobs/deliveries.ts';
import { readLiveCounts } from '../../shared/jobs/inspect-queues.ts';
import type { JobClass } from '../../shared/jobs/job.ts';
import { isJobId } from '../../shared/jobs/job-id.ts';
import { keys } from '../../shared/jobs/keys.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { sendEmpty, sendHtml } from '../http/send.ts';
import { found } from '../jobs/end-job.ts';
import { outcomeOf } from './actions.ts';
import type { BoardParts, Visit } from './board-parts.ts';
import { countDeadJobs, listAllDisabledHooks, listDeadEvents, listDeadJobs } from './dead-letters.ts';
import { jobRefOf, tenantOf } from './names.ts';
import { deadLettersPage } from './pages/dead-letters-page.ts';
import { jobPage } from './pages/job-page.ts';
import { overviewPage, type QueueRow, tenantsPage } from './pages/overview-page.ts';
import { tenantPage } from './pages/tenant-page.ts';
import { findRetry } from './retry-job.ts';

const jobsOfTenantMax = 50;
const queuesShownMax = 100;
/** Tenants asked whose a job is. */
const tenantsSearchedMax = 10_000;

export async function showOverview(parts: BoardParts, { call, view }: Visit): Promise<void> {
  const { redis } = parts;
  const [{ tenants, queues }, deadJobs, deadEvents, hooks] = await Promise.all([
    readLiveCounts(redis),
    countDeadJobs(redis),
    redis.zcard(`${keys.queuePrefix}:${webhookQueueName}:failed`),
    listAllDisabledHooks(redis),
  ]);
  const rows = await Promise.all(
    queues.slice(0, queuesShownMax).map(({ name, unfinished }) => readQueue(parts, name, unfinished)),
  );
  sendHtml(call, 200, overviewPage(view, { queues: rows, tenants, deadJobs, deadEvents, disabledHooks: hooks.length }));
}

export async function showTenants({ redis }: BoardParts, { call, view }: Visit): Promise<void> {
  const { tenants, queues } = await readLiveCounts(redis);
  sendHtml(call, 200, tenantsPage(view, tenants, queues));
}

export async function showTenant({ redis, store }: BoardParts, { call, view }: Visit): Promise<void> {
  const tenant = tenantOf(call.parameters['tenant']);
  const [live, listed] = await Promise.all([
    redis.hget(keys.live, `t:${tenant}`),
    store.listIds(tenant, Number.MAX_SAFE_INTEGER, 0, 0, jobsOfTenantMax),
  ]);
  const jobs = await Promise.all(
    listed.map(async ({ id, createdMs }) => {
      const record = await store.readOutline({ tenant, id });
      return { id, createdMs, record: record === 'gone' ? null : record };
    }),
  );
  sendHtml(call, 200, tenantPage(view, { tenant, unfinished: Number(live ?? 0), jobs }));
}

export async function showJob(parts: BoardParts, { call, view }: Visit): Promise<void> {
  const { redis, store, apiUrl } = parts;
  const ref = jobRefOf(call.parameters['tenant'], call.parameters['id']);
  call.job = ref.id;
  const [record, deliveries, inputBytes, retriedAs, deadMs] = await Promise.all([
    store.readOutline(ref),
    readDeliveries(redis, ref),
    redis.hstrlen(keys.job(ref.tenant, ref.id), 'in'),
    findRetry(store, ref),
    redis.zscore(keys.dead, `${ref.tenant}/${ref.id}`),
  ]);
  const job = {
    ref,
    record: found(record),
    deliveries,
    inputBytes: inputBytes > 0 ? inputBytes : null,
    retriedAs,
    isDead: deadMs !== null,
    apiUrl,
  };
  sendHtml(call, 200, jobPage(view, job));
}

/** A job's id from a log line or a caller's mail: whose is it? */
export async function findJob({ redis }: BoardParts, { call }: Visit): Promise<void> {
  const id = (call.query.get('id') ?? '').trim();
  if (!isJobId(id)) throw new Problem('invalid-id', 'That is no job id: "job_" and 33 hex digits.');
  const tenants = (await redis.smembers(keys.tenants)).slice(0, tenantsSearchedMax);
  const known = await Promise.all(tenants.map((tenant) => redis.zscore(keys.index(tenant), id)));
  const tenant = tenants[known.findIndex((score) => score !== null)];
  if (tenant === undefined) throw new Problem('not-found', 'No tenant has a job of this id.');
  sendEmpty(call, 303, { Location: `/admin/jobs/${encodeURIComponent(tenant)}/${id}` });
}

export async function showDeadLetters(parts: BoardParts, { call, view }: Visit): Promise<void> {
  const { redis, store, boardQueues } = parts;
  const [jobsPage, eventsPage] = [pageOf(call.query.get('jobs')), pageOf(call.query.get('events'))];
  const [jobs, jobCount, events, eventCount, hooks] = await Promise.all([
    listDeadJobs(redis, store, jobsPage),
    countDeadJobs(redis),
    listDeadEvents(redis, boardQueues.webhooks, eventsPage),
    redis.zcard(`${keys.queuePrefix}:${webhookQueueName}:failed`),
    listAllDisabledHooks(redis),
  ]);
  const done = outcomeOf(call.query.get('done'));
  sendHtml(call, 200, deadLettersPage(view, { jobs, jobsPage, jobCount, events, eventsPage, eventCount, hooks, done }));
}

async function readQueue({ queues }: BoardParts, name: string, unfinished: number): Promise<QueueRow> {
  // Models may have dots in their names, classes have none.
  const dot = name.lastIndexOf('.');
  const { waiting, oldestMs } = await queues.depth(name.slice(0, dot), name.slice(dot + 1) as JobClass);
  return { name, unfinished, waiting, oldestSeconds: oldestMs / 1000 };
}

function pageOf(text: string | null): number {
  return /^\d{1,4}$/.test(text ?? '') ? Number(text) : 0;
}
