/** GET /v1/jobs: newest first, in pages. */
import { type JobStatus, jobStatuses } from '../../shared/jobs/job.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { badParameter, readQuery } from '../http/query.ts';
import { sendJson } from '../http/send.ts';
import { decodeCursor, encodeCursor, type ListWish, listJobs } from '../jobs/list-jobs.ts';

export const listParameters = ['status', 'model', 'created_after', 'cursor', 'limit'] as const;
export const listLimitDefault = 20;
export const listLimitMax = 100;

export async function listJobsRoute(parts: ApiDependencies, call: Call): Promise<void> {
  const { records, next } = await listJobs(parts.store, readWish(call));
  sendJson(call, 200, {
    object: 'list',
    data: records.map((record) => parts.views.view(call, record)),
    has_more: next !== null,
    next_cursor: next && encodeCursor(next),
  });
}

function readWish(call: Call): ListWish {
  const { status, model, created_after: after, cursor, limit } = readQuery(call, listParameters);
  if (status !== undefined && !(jobStatuses as readonly string[]).includes(status)) {
    throw badParameter('status', `Must be one of ${jobStatuses.join(', ')}.`);
  }
  const place = cursor === undefined ? undefined : decodeCursor(cursor);
  if (place === null) throw badParameter('cursor', 'Not a cursor that this API made.');
  return {
    tenant: call.tenant,
    ...(status !== undefined && { status: status as JobStatus }),
    ...(model !== undefined && { model }),
    ...(place && { cursor: place }),
    createdAfterMs: after === undefined ? 0 : readTime(after),
    limit: limit === undefined ? listLimitDefault : readLimit(limit),
  };
}

function readTime(text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(ms)) throw badParameter('created_after', 'Must be an RFC 3339 time, 2026-01-31T12:00:00Z.');
  return Math.max(0, ms);
}

function readLimit(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > listLimitMax)
    throw badParameter('limit', `Must be a whole number from 1 to ${listLimitMax}.`);
  return limit;
}
