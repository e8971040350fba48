/** A row of the record, with its newest feedback, as the public object. Pure, but for the columns that it asks for. */
import { sql } from 'drizzle-orm';
import type { TaskRecord } from '../../../models/task.ts';
import type { Feedback, Prediction, Verdict } from '../../../shared/predictions/words.ts';
import type { PredictionRow } from '../prediction-row.ts';

export interface ViewedRow extends Omit<PredictionRow, 'created_at' | 'finished_at'> {
  readonly created_ms: number;
  readonly finished_ms: number;
  readonly verdict: Verdict | null;
  readonly corrected: unknown;
  readonly note: string | null;
  readonly judged_ms: number | null;
}

/** Times as numbers: drivers differ in what they make of timestamps. */
export const viewedColumns = sql.raw(`p.*,
  (extract(epoch FROM p.created_at) * 1000)::double precision AS created_ms,
  (extract(epoch FROM p.finished_at) * 1000)::double precision AS finished_ms,
  f.verdict, f.corrected, f.note, (extract(epoch FROM f.created_at) * 1000)::double precision AS judged_ms`);

/** Every word is kept; the newest counts. */
export const newestFeedback = sql.raw(`LEFT JOIN LATERAL (
  SELECT verdict, corrected, note, created_at FROM millrace.feedback
  WHERE tenant = p.tenant AND job = p.job AND item = p.item ORDER BY id DESC LIMIT 1) f ON true`);

export function viewPrediction(row: ViewedRow, records: ReadonlyMap<string, TaskRecord>): Prediction {
  return {
    object: 'prediction',
    job: row.job,
    item: row.item,
    task: row.task,
    model: row.model,
    model_version: row.version,
    arm: row.arm,
    status: row.status,
    error: row.error,
    label: row.label,
    score: row.score,
    summary: row.summary,
    input: {
      kind: row.input_kind,
      sha256: row.input_hash,
      length: row.input_length,
      length_unit: row.input_length === null ? null : (records.get(row.task)?.lengthUnit ?? null),
      content: row.input,
      media: row.input_media === null ? null : mediaPath(row.job, row.item),
    },
    metrics: {
      queue_seconds: row.queue_seconds,
      prepare_seconds: row.prepare_seconds,
      compute_seconds: row.compute_seconds,
      total_seconds: row.total_seconds,
      batch_rows: row.batch_rows,
    },
    trace_id: row.trace_id,
    created_at: stamp(row.created_ms),
    finished_at: stamp(row.finished_ms),
    feedback: feedbackOf(row),
  };
}

/** Of the API. */
export function mediaPath(job: string, item: number): string {
  return `/v1/predictions/${job}/${item}/input`;
}

function feedbackOf({ verdict, corrected, note, judged_ms: judgedMs }: ViewedRow): Feedback | null {
  if (verdict === null || judgedMs === null) return null;
  return { verdict, corrected_output: corrected, note, created_at: stamp(judgedMs) };
}

function stamp(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}
