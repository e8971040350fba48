/**
 * The words of a job that api and workers agree on: statuses, classes, the stored request, and the public object.
 * Types and constants only; how a record is kept in Redis is `store/`'s business.
 */
import type { ProblemDetails } from '../problems/problem.ts';

/** Version of every stored record. A release reads its own, the one before and the one after. */
export const recordVersion = 1;

/** How a job can end. */
export const outcomes = ['succeeded', 'failed', 'canceled', 'expired'] as const;
export type Outcome = (typeof outcomes)[number];

/** What a caller sees. `queued` and `processing` come before an outcome. */
export const jobStatuses = ['queued', 'processing', ...outcomes] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** What a caller may ask for; highest first. */
export const priorities = ['high', 'normal', 'low'] as const;

/** What the scheduler knows: the priorities, and the inside class of dataset runs. */
export const jobClasses = [...priorities, 'bulk'] as const;
export type JobClass = (typeof jobClasses)[number];

/** A job holds 1..256 items: above that a bulk run is the right tool (its shards cost nothing per row). */
export const itemsPerJobMax = 256;

export function isOutcome(status: string): status is Outcome {
  return (outcomes as readonly string[]).includes(status);
}

/** One item as it is stored: text inline, media as a blob or a URL still to be fetched, or other JSON per the task. */
export type StoredInput =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'blob'; readonly blob: string; readonly bytes: number; readonly type: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'json'; readonly value: unknown };

export interface WebhookWish {
  readonly url: string;
  /** Statuses to be told of; each becomes `job.<status>`. */
  readonly events: readonly JobStatus[];
  /** `whsec_...`; absent means the tenant's own secret. */
  readonly secret?: string;
}

/** The part of a record that never changes after admission. Stored as one JSON string. */
export interface JobRequest {
  readonly v: number;
  readonly id: string;
  readonly tenant: string;
  readonly task: string;
  readonly model: string;
  /** The version that the caller named (`ner@2`); absent for whichever serves when the job is claimed. */
  readonly modelVersion?: string;
  readonly priority: JobClass;
  /** True when the caller sent `inputs`: the output is then a list, even of one. */
  readonly list: boolean;
  readonly items: number;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly webhook?: WebhookWish;
  /** Seconds it may run. */
  readonly timeoutSeconds?: number;
  /** Seconds its outcome is kept after the end. */
  readonly retentionSeconds: number;
  /** W3C traceparent as accepted or minted. */
  readonly traceparent?: string;
  /** Id of the job that was set aside, when an operator had it run again as this one. */
  readonly retriedFrom?: string;
}

export interface JobMetrics {
  readonly queue_seconds: number | null;
  readonly prepare_seconds: number | null;
  readonly compute_seconds: number | null;
  readonly total_seconds: number | null;
  readonly batch_rows: number | null;
}

/** One entry of `output` for a job of several items. */
export type ItemResult =
  | { readonly index: number; readonly status: 'succeeded'; readonly output: unknown }
  | { readonly index: number; readonly status: Exclude<JobStatus, 'succeeded'>; readonly error?: ProblemDetails };

export interface ItemCounts {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
}

/** The public job: the same object in GET, list, webhook and SSE. Times are RFC 3339 UTC. */
export interface Job {
  readonly id: string;
  readonly object: 'job';
  readonly status: JobStatus;
  readonly task: string;
  readonly model: string;
  readonly model_version: string | null;
  /** While queued: what it waits for beyond its turn. */
  readonly waits_for?: string;
  readonly priority: JobClass;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly output: unknown;
  /** Present where the output is too large for this place; `urls.self` has it. */
  readonly output_omitted?: true;
  readonly counts: ItemCounts;
  readonly error: ProblemDetails | null;
  readonly metrics: JobMetrics;
  readonly attempts: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of the trace that its request was in; null when it was admitted without one. */
  readonly trace_id: string | null;
  /** Id of the job that was set aside, when an operator had it run again as this one. */
  readonly retried_from?: string;
  readonly urls: { readonly self: string; readonly events: string; readonly cancel: string };
}
