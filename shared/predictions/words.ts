/**
 * What the API asks the log writer, and what it answers, over HTTP between the two: `POST /<question>` with JSON. Types and
 * constants only; `workers/prediction-log/` answers, `api/predictions/` asks. The tenant is part of every question.
 */
import type { JobMetrics } from '../jobs/job.ts';

/** Where the log writer answers; stands in Redis while it lives. */
export interface PredictionLogAddress {
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token: string;
}

/** A key in Redis that lives so long, renewed every 5 s: opening an embedded database can hold the process for 12 s. */
export const addressLifeMs = 30_000;

export const verdicts = ['right', 'wrong'] as const;
export type Verdict = (typeof verdicts)[number];

/** Place in the order newest first: by end, then job and item. */
export interface PredictionCursor {
  readonly finishedMs: number;
  readonly job: string;
  readonly item: number;
}

export interface ListQuestion {
  readonly tenant: string;
  readonly task?: string;
  readonly model?: string;
  readonly label?: string;
  readonly minScore?: number;
  readonly maxScore?: number;
  /** Ended at or after, ms. */
  readonly fromMs?: number;
  /** Ended before, ms. */
  readonly toMs?: number;
  /** Text that the label, the kept input or a transcript contains. */
  readonly q?: string;
  readonly cursor?: PredictionCursor;
  readonly limit: number;
}

export interface ListAnswer {
  readonly data: readonly Prediction[];
  readonly next: PredictionCursor | null;
}

/** The public object. Times are RFC 3339 UTC. */
export interface Prediction {
  readonly object: 'prediction';
  readonly job: string;
  readonly item: number;
  readonly task: string;
  readonly model: string;
  readonly model_version: string | null;
  readonly arm: string | null;
  readonly status: string;
  readonly error: string | null;
  readonly label: string | null;
  readonly score: number | null;
  /** The output in short. */
  readonly summary: unknown;
  readonly input: {
    readonly kind: string | null;
    readonly sha256: string | null;
    readonly length: number | null;
    readonly length_unit: string | null;
    /** The text or URL itself, where it is kept. */
    readonly content: string | null;
    /** Path of the kept media, where it is. */
    readonly media: string | null;
  };
  readonly metrics: JobMetrics;
  readonly trace_id: string | null;
  readonly created_at: string;
  readonly finished_at: string;
  /** The newest word on it. */
  readonly feedback: Feedback | null;
}

export interface Feedback {
  readonly verdict: Verdict;
  readonly corrected_output: unknown;
  readonly note: string | null;
  readonly created_at: string;
}

export interface ItemQuestion {
  readonly tenant: string;
  readonly job: string;
  readonly item: number;
}

export interface FeedbackQuestion extends ItemQuestion {
  readonly verdict: Verdict;
  readonly corrected?: unknown;
  readonly note?: string;
}

export interface DriftQuestion {
  readonly tenant: string;
  readonly model: string;
  /** Ends now; its length, s. */
  readonly windowSeconds: number;
  /** Ends where the window begins; its length, s. */
  readonly referenceSeconds: number;
}

/** One part of a distribution: how many predictions of each of the two windows fall into it. */
export interface DriftBin {
  readonly name: string;
  readonly reference: number;
  readonly current: number;
}

/** Population stability index: below 0.1 the same, above 0.25 another; null when either window is empty. */
export interface DriftSignal {
  readonly psi: number | null;
  readonly bins: readonly DriftBin[];
}

export interface DriftAnswer {
  readonly object: 'drift';
  readonly model: string;
  readonly window: { readonly from: string; readonly to: string; readonly predictions: number };
  readonly reference: { readonly from: string; readonly to: string; readonly predictions: number };
  readonly labels: DriftSignal;
  readonly scores: DriftSignal;
  readonly input_lengths: DriftSignal;
}

export const exportFormats = ['jsonl', 'csv', 'parquet'] as const;
export type ExportFormat = (typeof exportFormats)[number];
export const exportChoices = ['corrected', 'confirmed', 'all'] as const;
export type ExportChoice = (typeof exportChoices)[number];

export interface ExportQuestion {
  readonly tenant: string;
  readonly task: string;
  readonly model?: string;
  readonly format: ExportFormat;
  /** Corrected ones, those that were right, or both. */
  readonly include: ExportChoice;
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Origin that references to media begin with. */
  readonly origin: string;
}

/** How the log writer says no: 404, 422 or 503 with this body. */
export interface LogRefusal {
  readonly reason: 'no-prediction' | 'nothing-to-learn' | 'database-away' | 'busy' | 'bad-question' | 'unexpected';
  readonly detail: string;
}
