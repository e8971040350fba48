/**
 * Runs a job that was set aside once more: an outcome is final, so this admits a new job from the same request and input,
 * which says where it comes from. Asked twice it gives the same job; the admit script sees to that.
 */
import type { Redis } from 'ioredis';
import type { BlobStore } from '../../shared/blobs/blob-store.ts';
import { isOutcome, type JobRequest, recordVersion, type StoredInput } from '../../shared/jobs/job.ts';
import { mintJobId } from '../../shared/jobs/job-id.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { RequestTrace } from '../tracing/request-trace.ts';
import { dismissDeadJob } from './dead-letters.ts';

export interface RetryParts {
  readonly redis: Redis;
  readonly store: JobStore;
  readonly blobs: BlobStore;
  readonly limits: { readonly queueMax: number; readonly tenantMax: number };
  /** Of the request that asks for it: the new job's trace begins with it. */
  readonly traceparent: string;
  readonly trace: RequestTrace | null;
}

/** Throws gone (record, input or a blob of it), already-finished (still live), quota-exceeded, overloaded. */
export async function retryDeadJob(parts: RetryParts, ref: JobRef): Promise<JobRef> {
  const { redis, store, blobs, limits } = parts;
  const known = await store.findByKey(ref.tenant, hashesOf(ref));
  if (known) return { tenant: ref.tenant, id: known.id };
  const { request: old, input } = await readKept(store, ref);
  const request: JobRequest = {
    ...old,
    v: recordVersion,
    id: mintJobId(),
    retriedFrom: ref.id,
    traceparent: parts.traceparent,
  };
  parts.trace?.link(old.traceparent);
  const again = { tenant: ref.tenant, id: request.id };
  const admission = await RequestTrace.run(parts.trace, 'admission', async () =>
    store.admit(request, { input: await adoptBlobs(blobs, again, input), idempotency: hashesOf(ref), ...limits }),
  );
  if (admission.verdict !== 'accepted') {
    await blobs.remove(again);
    if (admission.verdict === 'existing') return { tenant: ref.tenant, id: admission.id };
    throw admission.verdict === 'tenant-full'
      ? new Problem('quota-exceeded', 'Its tenant has as many unfinished jobs as it may have.')
      : new Problem('overloaded', `The queue of ${old.model} is full.`);
  }
  await dismissDeadJob(redis, ref);
  return again;
}

/** The job that a dead letter was run again as, if it was. */
export async function findRetry(store: JobStore, ref: JobRef): Promise<string | undefined> {
  return (await store.findByKey(ref.tenant, hashesOf(ref)))?.id;
}

/** No caller's key hashes to this. */
function hashesOf({ id }: JobRef) {
  return { keyHash: `retry:${id}`, bodyHash: 'retry' };
}

async function readKept(store: JobStore, ref: JobRef): Promise<{ request: JobRequest; input: readonly StoredInput[] }> {
  const record = await store.readOutline(ref);
  if (record === null || record === 'gone') throw new Problem('gone', 'The job ended and its retention is over.');
  if (!isOutcome(record.status)) throw new Problem('already-finished', 'The job still runs; wait for its end.');
  if (!record.keptInput) throw new Problem('gone', 'The input of this job was not kept: it was not set aside.');
  return { request: record.request, input: record.keptInput };
}

/** A blob belongs to one job, so the new one gets files of its own. */
async function adoptBlobs(blobs: BlobStore, ref: JobRef, input: readonly StoredInput[]): Promise<StoredInput[]> {
  try {
    const own: StoredInput[] = [];
    for (const [index, item] of input.entries()) {
      if (item.kind !== 'blob') own.push(item);
      else own.push({ ...item, blob: await blobs.adopt(ref, index, await blobs.respool(item.blob)) });
    }
    return own;
  } catch (error) {
    await blobs.remove(ref);
    if (error instanceof Problem)
      throw new Problem('gone', 'A file of its input is no longer there.', { cause: error });
    throw error;
  }
}
