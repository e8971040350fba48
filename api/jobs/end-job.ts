/** How a caller ends a job: cancel (the outcome is stored at once, workers drop its rows) and erase. */
import type { Redis } from 'ioredis';
import type { BlobStore } from '../../shared/blobs/blob-store.ts';
import { isOutcome } from '../../shared/jobs/job.ts';
import { keys } from '../../shared/jobs/keys.ts';
import { forgetBlobs } from '../../shared/jobs/store/duties.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import { recordJobSpan } from '../../shared/observability/tracing/job-span.ts';
import type { Tracing } from '../../shared/observability/tracing/span.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { type ApiMetrics, countEnded } from '../api-metrics.ts';
import type { PredictionLogClient } from '../predictions/log-client.ts';

export interface EndJobParts {
  readonly redis: Redis;
  readonly store: JobStore;
  readonly blobs: BlobStore;
  readonly metrics: Pick<ApiMetrics, 'ended'>;
  readonly tracing: Tracing;
  readonly predictions: PredictionLogClient;
}

/** Idempotent. Throws not-found, gone, or already-finished when the job ended otherwise. */
export async function cancelJob(parts: EndJobParts, ref: JobRef): Promise<JobRecord> {
  const problem = new Problem('canceled', 'The job was canceled by its owner.');
  const fragment = JSON.stringify(problem.toDetails());
  const startedMs = performance.now();
  const [reply] = await parts.store.finish([{ ...ref, kind: 'job', status: 'canceled', fragment }]);
  const record = found(await parts.store.read(ref));
  if (reply === 'job-ended') {
    countEnded(parts.metrics, record, 'canceled');
    await tellWorkers(parts, ref);
    const attributes = { 'millrace.outcome': 'canceled', 'millrace.problem': problem.slug };
    recordJobSpan(parts.tracing, record.request, { name: 'cancel', startedMs, attributes });
  }
  if (record.status === 'canceled') return record;
  throw new Problem('already-finished', `The job has ${record.status} before it could be canceled.`);
}

/**
 * Removes the record, its blobs, its predictions and all that points at it; a live job is canceled first. Throws not-found,
 * or predictions-unavailable for an id that only the record of predictions could know.
 */
export async function eraseJob(parts: EndJobParts, ref: JobRef): Promise<void> {
  // Twice at most: a job can not come back to life.
  for (let round = 0; round < 2; round++) {
    const record = await parts.store.read(ref);
    if (record === null && !(await isRecorded(parts, ref))) throw notFound();
    if (record !== null && record !== 'gone' && !isOutcome(record.status)) await cancelIfLive(parts, ref);
    const key = record === null || record === 'gone' ? null : record.idempotencyKey;
    if (!(await parts.store.erase(ref, key))) continue;
    await parts.blobs.remove(ref);
    await forgetBlobs(parts.redis, ref);
    return;
  }
  throw new Error('a canceled job was still live');
}

/** Predictions outlive the last trace of their job. */
async function isRecorded({ predictions }: EndJobParts, { tenant, id }: JobRef): Promise<boolean> {
  if (!predictions.isOn) return false;
  return (await predictions.ask<{ known: boolean }>('knows', { tenant, job: id, item: 0 })).known;
}

/** The record, or the problem of its absence. */
export function found(record: JobRecord | 'gone' | null): JobRecord {
  if (record === null) throw notFound();
  if (record === 'gone') throw new Problem('gone', 'The job ended and its retention is over.');
  return record;
}

export function notFound(): Problem {
  return new Problem('not-found', 'There is no job of this id.');
}

async function cancelIfLive(parts: EndJobParts, ref: JobRef): Promise<void> {
  try {
    await cancelJob(parts, ref);
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // It ended meanwhile: as good.
  }
}

/** Best effort: the outcome stands, and a worker that does not hear throws its late rows away. */
async function tellWorkers({ redis }: EndJobParts, ref: JobRef): Promise<void> {
  await redis.publish(keys.control, `cancel ${ref.tenant}/${ref.id}`).catch(() => {});
}
