/**
 * The public job object: the same in GET, list, webhook and SSE. Pure: a record goes in, the object comes out.
 */
import { traceIdOf } from '../observability/trace-context.ts';
import { isOutcome, type Job, type JobStatus } from './job.ts';
import { decodeOutput, outputToJson } from './output-codec.ts';
import type { JobEvent, JobRecord } from './store/record.ts';

export interface ViewOptions {
  /** Origin for the URLs ("https://api.example"), or '' for path-only ones. */
  readonly origin: string;
  /** Query that lets an EventSource in, since it sends no headers: `?token=...`, or ''. */
  readonly eventsQuery?: string;
  /** Why the job waits beyond its turn. */
  readonly waitsFor?: string;
}

export function viewJob(record: JobRecord, options: ViewOptions): Job {
  const { request } = record;
  const self = jobUrl(request.id, options.origin);
  return {
    id: request.id,
    object: 'job',
    status: record.status,
    task: request.task,
    model: request.model,
    model_version: record.modelVersion,
    ...(options.waitsFor !== undefined && { waits_for: options.waitsFor }),
    priority: request.priority,
    created_at: stamp(record.createdMs),
    started_at: record.startedMs === null ? null : stamp(record.startedMs),
    finished_at: record.finishedMs === null ? null : stamp(record.finishedMs),
    output: decodeOutput(record.output),
    ...(record.isOutputOmitted && { output_omitted: true }),
    counts: record.counts,
    error: record.error,
    metrics: {
      queue_seconds: secondsBetween(record.createdMs, record.startedMs),
      prepare_seconds: record.prepareSeconds,
      compute_seconds: record.computeSeconds,
      total_seconds: secondsBetween(record.createdMs, record.finishedMs),
      batch_rows: record.batchRows,
    },
    attempts: record.attempts,
    metadata: request.metadata ?? {},
    trace_id: traceIdOf(request.traceparent) ?? null,
    ...(request.retriedFrom && { retried_from: request.retriedFrom }),
    urls: { self, events: `${self}/events${options.eventsQuery ?? ''}`, cancel: `${self}/cancel` },
  };
}

export function jobUrl(id: string, origin: string): string {
  return `${origin}/v1/jobs/${id}`;
}

/** The same as JSON text. */
export function renderJob(record: JobRecord, options: ViewOptions): string {
  const json = JSON.stringify(viewJob({ ...record, output: null }, options));
  // Nothing before it can hold these characters: inside a text the quotes would be escaped.
  return record.output === null ? json : json.replace('"output":null', () => `"output":${outputToJson(record.output)}`);
}

/** The record as it stood at one of its events, so that a replayed event shows what it showed then. */
export function recordAt(record: JobRecord, event: JobEvent): JobRecord {
  if (isOutcome(event.name)) return record;
  const status: JobStatus = event.name === 'progress' ? 'processing' : event.name;
  return {
    ...record,
    status,
    startedMs: status === 'queued' ? null : record.startedMs,
    finishedMs: null,
    output: null,
    error: null,
    counts: event.done === undefined ? { ...record.counts, succeeded: 0, failed: 0 } : record.counts,
  };
}

function stamp(ms: number): string {
  return new Date(ms).toISOString();
}

function secondsBetween(fromMs: number, toMs: number | null): number | null {
  return toMs === null ? null : Math.max(0, Math.round(toMs - fromMs) / 1000);
}
