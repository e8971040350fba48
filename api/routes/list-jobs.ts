/** GET /v1/jobs: newest first, in pages. */
import { type JobStatus, jobStatuses } from '../../shared/jobs/job.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { badParameter, readQuery, readTime, readWhole } from '../http/query.ts';
import { sendJson } from '../http/send.ts';
import { decodeCursor, encodeCursor, type ListWish, listJobs } from '../jobs/list-jobs.ts';

const listParameters = ['status', 'model', 'created_after', 'cursor', 'limit'] as const;
const listLimitDefault = 20;
const listLimitMax = 100;

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
    createdAfterMs: after === undefined ? 0 : readTime('created_after', after),
    limit: limit === undefined ? listLimitDefault : readWhole('limit', limit, 1, listLimitMax),
  };
}
