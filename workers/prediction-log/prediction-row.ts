/**
 * A job that ended, as rows of the record: one per item. Pure. Decides what of an input and an output is kept; the task's
 * own `record.ts` decides what its outputs say in short.
 */
import type { TaskRecord } from '../../models/task.ts';
import type { ItemResult, JobStatus, StoredInput } from '../../shared/jobs/job.ts';
import { decodeOutput } from '../../shared/jobs/output-codec.ts';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import type { InputMark } from '../../shared/jobs/store/words.ts';
import { traceIdOf } from '../../shared/observability/trace-context.ts';
import type { ProblemDetails } from '../../shared/problems/problem.ts';

/** Keys are the table's columns: rows go to the database, and to the spool, as JSON. */
export interface PredictionRow {
  readonly job: string;
  readonly item: number;
  readonly tenant: string;
  readonly task: string;
  readonly model: string;
  readonly version: string | null;
  readonly arm: string | null;
  readonly status: string;
  readonly error: string | null;
  readonly label: string | null;
  readonly score: number | null;
  readonly summary: unknown;
  readonly input_kind: string | null;
  readonly input_hash: string | null;
  readonly input: string | null;
  readonly input_media: string | null;
  readonly input_length: number | null;
  readonly queue_seconds: number | null;
  readonly prepare_seconds: number | null;
  readonly compute_seconds: number | null;
  readonly total_seconds: number | null;
  readonly batch_rows: number | null;
  readonly trace_id: string | null;
  readonly created_at: string;
  readonly finished_at: string;
}

export interface RecordedInputs {
  /** False under the policies `none` and `hash`: nothing that quotes an input is kept then. */
  readonly keepsInput: boolean;
  /** Absent under the policy `none`. */
  readonly marks: readonly InputMark[];
  /** Under the policy `full`, where they were not too large. */
  readonly inputs: readonly StoredInput[];
  /** Names of kept media by item. */
  readonly media: ReadonlyMap<number, string>;
}

/** A hundred spans with their words are about 8 KB. */
const summarySizeMax = 100;
const summaryBytesMax = 32_768;
const labelLengthMax = 256;

export function toRows(
  job: JobRecord,
  { keepsInput, marks, inputs, media }: RecordedInputs,
  records: ReadonlyMap<string, TaskRecord>,
): PredictionRow[] {
  const shared = sharedColumns(job);
  const task = records.get(job.request.task);
  return Array.from({ length: job.request.items }, (_, item) => {
    const result = resultOf(job, item);
    const [kind, hash, length] = marks[item] ?? [null, null, null];
    return {
      ...shared,
      item,
      status: result.status,
      error: slugOf(result.error),
      ...summaryOf(result.output, task, job, keepsInput),
      input_kind: kind,
      input_hash: hash,
      input: contentOf(inputs[item]),
      input_media: media.get(item) ?? null,
      input_length: length,
    };
  });
}

function sharedColumns(job: JobRecord) {
  const { request, createdMs, startedMs } = job;
  const finishedMs = job.finishedMs ?? createdMs;
  return {
    job: request.id,
    tenant: request.tenant,
    task: request.task,
    model: request.model,
    version: job.modelVersion,
    arm: null,
    queue_seconds: startedMs === null ? null : Math.max(0, startedMs - createdMs) / 1000,
    prepare_seconds: job.prepareSeconds,
    compute_seconds: job.computeSeconds,
    total_seconds: Math.max(0, finishedMs - createdMs) / 1000,
    batch_rows: job.batchRows,
    trace_id: traceIdOf(request.traceparent) ?? null,
    created_at: new Date(createdMs).toISOString(),
    finished_at: new Date(finishedMs).toISOString(),
  };
}

interface Result {
  readonly status: JobStatus;
  readonly output?: unknown;
  readonly error?: ProblemDetails | null;
}

/** `output` is absent where there is none, or where it is gone. */
function resultOf(job: JobRecord, item: number): Result {
  const whole = { status: job.status, error: job.error };
  if (!job.request.list) return job.output === null ? whole : { ...whole, output: job.output };
  return Array.isArray(job.output) ? ((job.output as ItemResult[])[item] ?? whole) : whole;
}

function summaryOf(output: unknown, task: TaskRecord | undefined, job: JobRecord, keepsInput: boolean) {
  const none = { label: null, score: null, summary: null };
  if (output === undefined || !task) return none;
  const parameters = job.request.parameters ?? {};
  const kept = task.summarize(decodeOutput(output), { parameters, keepsInput, sizeMax: summarySizeMax });
  const isSmall = JSON.stringify(kept.summary).length <= summaryBytesMax;
  return {
    label: kept.label?.slice(0, labelLengthMax) ?? null,
    score: kept.score,
    summary: isSmall ? kept.summary : { cut: true },
  };
}

function contentOf(input: StoredInput | undefined): string | null {
  if (input?.kind === 'text') return input.text;
  if (input?.kind === 'url') return input.url;
  return input?.kind === 'json' ? JSON.stringify(input.value) : null;
}

function slugOf(error: ProblemDetails | null | undefined): string | null {
  return error ? (error.type.split('/').at(-1) ?? null) : null;
}
