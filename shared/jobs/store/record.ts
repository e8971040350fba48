/**
 * A stored job as code reads it, from either of its two forms: the live hash and the finished document. Refuses records
 * of releases too far away. Turning a record into the public object is `view-job.ts`.
 */
import type { ProblemDetails } from '../../problems/problem.ts';
import { Problem } from '../../problems/problem.ts';
import { type ItemCounts, type JobRequest, type JobStatus, recordVersion, type StoredInput } from '../job.ts';

/** One change that a caller can see. `progress` carries the number of finished items. */
export interface JobEvent {
  readonly seq: number;
  readonly name: JobStatus | 'progress';
  readonly atMs: number;
  readonly done?: number;
}

export interface JobRecord {
  readonly request: JobRequest;
  readonly status: JobStatus;
  readonly createdMs: number;
  readonly startedMs: number | null;
  readonly finishedMs: number | null;
  readonly attempts: number;
  readonly modelVersion: string | null;
  readonly events: readonly JobEvent[];
  readonly counts: ItemCounts;
  readonly prepareSeconds: number | null;
  readonly computeSeconds: number | null;
  readonly batchRows: number | null;
  /** As stored (vectors encoded); null before the outcome. */
  readonly output: unknown;
  /** The output lies in a blob and was not fetched; `output` is null then. */
  readonly isOutputOmitted?: boolean;
  readonly error: ProblemDetails | null;
  /** Redis key of the idempotency entry, for erasure. */
  readonly idempotencyKey: string | null;
  /** Of a dead letter that has ended: what it was given, to be run again. */
  readonly keptInput?: readonly StoredInput[];
}

/** What stands for an output that lies in a blob. */
export interface OutputInBlob {
  readonly $blob: string;
}

export function isInBlob(output: unknown): output is OutputInBlob {
  return typeof output === 'object' && output !== null && '$blob' in output;
}

/** The finished document as `finish.lua` writes it. */
interface FinishedDocument {
  v: number;
  req: JobRequest;
  c: number;
  st: number | null;
  f: number;
  s: JobStatus;
  a: number;
  mv: string;
  ev: string;
  m: [number | null, number | null, number | null];
  n: [number, number];
  ik?: string;
  in?: StoredInput[];
  out: unknown;
  err: ProblemDetails | null;
}

export function parseFinished(json: string): JobRecord {
  const doc = JSON.parse(json) as FinishedDocument;
  checkVersion(doc.v, doc.req.id);
  return {
    request: doc.req,
    status: doc.s,
    createdMs: doc.c,
    startedMs: doc.st,
    finishedMs: doc.f,
    attempts: doc.a,
    modelVersion: doc.mv || null,
    events: parseEvents(doc.ev),
    counts: { total: doc.req.items, succeeded: doc.n[0], failed: doc.n[1] },
    prepareSeconds: doc.m[0],
    computeSeconds: doc.m[1],
    batchRows: doc.m[2],
    output: doc.out,
    error: doc.err,
    idempotencyKey: doc.ik ?? null,
    ...(doc.in && { keptInput: doc.in }),
  };
}

/** `flat` is field, value, field, value as Redis gives a hash. */
export function parseLive(flat: readonly string[]): JobRecord {
  const h: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) h[flat[i] as string] = flat[i + 1] as string;
  const request = JSON.parse(h['req'] ?? 'null') as JobRequest;
  checkVersion(Number(h['v']), request.id);
  const number = (name: string) => (h[name] === undefined ? null : Number(h[name]));
  return {
    request,
    status: h['s'] as JobStatus,
    createdMs: Number(h['c']),
    startedMs: number('st'),
    finishedMs: null,
    attempts: Number(h['a'] ?? 0),
    modelVersion: h['mv'] || null,
    events: parseEvents(h['ev'] ?? ''),
    counts: { total: request.items, succeeded: Number(h['ok'] ?? 0), failed: Number(h['ko'] ?? 0) },
    prepareSeconds: number('mp'),
    computeSeconds: number('mk'),
    batchRows: number('mb'),
    output: null,
    error: null,
    idempotencyKey: h['ik'] ?? null,
  };
}

/** A release reads its own records, those of the release before and those of the release after. */
function checkVersion(version: number, id: string): void {
  if (Math.abs(version - recordVersion) > 1) {
    throw new Problem(
      'unsupported-record',
      `Job ${id} has record version ${version}; this release reads ${recordVersion - 1} to ${recordVersion + 1}.`,
    );
  }
}

/** `1 queued 1700000000000;2 progress 1700000000100 5` */
function parseEvents(log: string): JobEvent[] {
  if (log === '') return [];
  return log.split(';').map((entry) => {
    const [seq, name, atMs, done] = entry.split(' ');
    const event = { seq: Number(seq), name: name as JobEvent['name'], atMs: Number(atMs) };
    return done === undefined ? event : { ...event, done: Number(done) };
  });
}
