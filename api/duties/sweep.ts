/** Ends what waited too long and removes what nobody needs any more. */
import {
  forgetBlobs,
  forgetStartBy,
  listDueBlobs,
  listUnstarted,
  redisNowMs,
  trimIndexes,
} from '../../shared/jobs/store/duties.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import { recordJobSpan } from '../../shared/observability/tracing/job-span.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { countEnded } from '../api-metrics.ts';
import type { DutyParts } from './duty-parts.ts';

const atOnceMax = 500;
const hourMs = 3_600_000;
/** How long an ended job's id is still known (410 instead of 404) after its outcome is gone. */
const tombstoneMs = 24 * hourMs;

/** Jobs that have not started in time expire, though no worker runs. */
export async function expireUnstarted({ redis, store, tracing, metrics }: DutyParts): Promise<number> {
  const refs = await listUnstarted(redis, await redisNowMs(redis), atOnceMax);
  if (refs.length === 0) return 0;
  const problem = new Problem('expired', 'The job did not start within `expires_in`.');
  const fragment = JSON.stringify(problem.toDetails());
  const startedMs = performance.now();
  const replies = await store.finish(
    refs.map((ref) => ({ ...ref, kind: 'unstarted', status: 'expired', fragment }) as const),
  );
  await Promise.all(
    refs.map(async (ref, index) => {
      if (replies[index] === 'late') return await forgetStartBy(redis, ref);
      const record = await store.read(ref);
      if (!record || record === 'gone') return;
      if (replies[index] === 'job-ended') countEnded(metrics, record, 'expired');
      const attributes = { 'millrace.outcome': 'expired' };
      recordJobSpan(tracing, record.request, { name: 'expire', startedMs, attributes, error: problem.slug });
    }),
  );
  return replies.filter((reply) => reply === 'job-ended').length;
}

/** Blobs of jobs whose retention is over. */
export async function sweepBlobs({ redis, blobs }: DutyParts): Promise<number> {
  const refs = await listDueBlobs(redis, await redisNowMs(redis), atOnceMax);
  for (const ref of refs) {
    await blobs.remove(ref);
    await forgetBlobs(redis, ref);
  }
  return refs.length;
}

/** Uploads whose request was cut off with the process. */
export async function sweepIncoming({ blobs }: DutyParts): Promise<number> {
  return await blobs.sweepIncoming(hourMs);
}

/** Folders of jobs that were never admitted: the process died between blob and record, or the answer was lost. */
export async function sweepOrphans({ store, blobs }: DutyParts): Promise<number> {
  return await blobs.sweepOrphans(hourMs, async (ref: JobRef) => {
    const record = await store.readOutline(ref);
    return record !== null && record !== 'gone';
  });
}

export async function trimTombstones({ redis, settings }: DutyParts): Promise<number> {
  const before = (await redisNowMs(redis)) - tombstoneMs - settings.retentionSeconds * 1000;
  return await trimIndexes(redis, before);
}
