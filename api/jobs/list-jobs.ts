/**
 * Pages through a tenant's jobs, newest first, by the index of creation times. Filters look at records, so the number of
 * records read per page is bounded: a page may hold fewer than asked for, or none, and still have a cursor. Outputs that lie in blobs stay there.
 */
import type { JobStatus } from '../../shared/jobs/job.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import { Problem } from '../../shared/problems/problem.ts';

/** 1,000 records of about 1 KB are read in some 20 ms. */
const scannedMax = 1000;
const stepSize = 100;

export interface ListWish {
  readonly tenant: string;
  readonly status?: JobStatus;
  readonly model?: string;
  /** ms; jobs created at this time or before are left out. */
  readonly createdAfterMs: number;
  readonly cursor?: Cursor;
  readonly limit: number;
}

/** The last job seen: those that follow are older, or as old with a smaller id. */
export interface Cursor {
  readonly createdMs: number;
  readonly id: string;
}

export interface Page {
  readonly records: readonly JobRecord[];
  /** null when there is nothing more. */
  readonly next: Cursor | null;
}

export async function listJobs(store: JobStore, wish: ListWish): Promise<Page> {
  const beforeMs = wish.cursor?.createdMs ?? Number.MAX_SAFE_INTEGER;
  const records: JobRecord[] = [];
  let last = wish.cursor;
  for (let skip = 0; skip < scannedMax; skip += stepSize) {
    const step = await store.listIds(wish.tenant, beforeMs, wish.createdAfterMs, skip, stepSize);
    const unseen = step.filter((entry) => !wish.cursor || isAfter(entry, wish.cursor));
    const found = await Promise.all(unseen.map(({ id }) => readIfKnown(store, { tenant: wish.tenant, id })));
    for (const [index, record] of found.entries()) {
      if (records.length === wish.limit) return { records, next: last ?? null };
      last = unseen[index];
      if (record && record !== 'gone' && fits(record, wish)) records.push(record);
    }
    if (step.length < stepSize) return { records, next: null };
  }
  return { records, next: last ?? null };
}

/** A record of a release too far away is left out, so that the others can be listed; asked for by its id it says why. */
async function readIfKnown(store: JobStore, ref: JobRef): Promise<JobRecord | 'gone' | null> {
  try {
    return await store.readOutline(ref);
  } catch (error) {
    if (error instanceof Problem && error.slug === 'unsupported-record') return null;
    throw error;
  }
}

function isAfter(entry: Cursor, cursor: Cursor): boolean {
  return entry.createdMs < cursor.createdMs || (entry.createdMs === cursor.createdMs && entry.id < cursor.id);
}

function fits(record: JobRecord, wish: ListWish): boolean {
  if (wish.status !== undefined && record.status !== wish.status) return false;
  return wish.model === undefined || record.request.model === wish.model;
}

export function encodeCursor({ createdMs, id }: Cursor): string {
  return Buffer.from(`${createdMs} ${id}`).toString('base64url');
}

/** null for anything that was not made by `encodeCursor`. */
export function decodeCursor(text: string): Cursor | null {
  const match = /^(\d{1,15}) (job_[0-9a-f]{33})$/.exec(Buffer.from(text, 'base64url').toString('latin1'));
  if (!match || encodeCursor({ createdMs: Number(match[1]), id: match[2] as string }) !== text) return null;
  return { createdMs: Number(match[1]), id: match[2] as string };
}
