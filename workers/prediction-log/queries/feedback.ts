/** One prediction, and what people say of it. The tenant is part of every statement: another's row is not there. */
import { sql } from 'drizzle-orm';
import type { TaskRecord } from '../../../models/task.ts';
import type { FeedbackQuestion, ItemQuestion, Prediction } from '../../../shared/predictions/words.ts';
import { rowsOf } from '../apply-steps.ts';
import type { Database } from '../database/open-database.ts';
import { newestFeedback, type ViewedRow, viewedColumns, viewPrediction } from './view-prediction.ts';

/** A prediction can be judged again and again; what nobody can mean is refused. */
const wordsPerPredictionMax = 1000;

export async function readPrediction(
  db: Database,
  { tenant, job, item }: ItemQuestion,
  records: ReadonlyMap<string, TaskRecord>,
): Promise<{ prediction: Prediction; media: string | null } | null> {
  const [row] = await rowsOf<ViewedRow>(
    db,
    sql`SELECT ${viewedColumns} FROM millrace.predictions p ${newestFeedback}
      WHERE p.tenant = ${tenant} AND p.job = ${job} AND p.item = ${item}::integer`,
  );
  return row ? { prediction: viewPrediction(row, records), media: row.input_media } : null;
}

/** False when there is no such prediction, or too much was said of it. */
export async function addFeedback(db: Database, { tenant, job, item, ...word }: FeedbackQuestion): Promise<boolean> {
  const corrected = word.corrected === undefined ? null : JSON.stringify(word.corrected);
  const added = await rowsOf(
    db,
    sql`INSERT INTO millrace.feedback (job, item, tenant, verdict, corrected, note)
      SELECT job, item, tenant, ${word.verdict}, ${corrected}::jsonb, ${word.note ?? null}
      FROM millrace.predictions p WHERE p.tenant = ${tenant} AND p.job = ${job} AND p.item = ${item}::integer
        AND (SELECT count(*) FROM millrace.feedback f WHERE f.job = p.job AND f.item = p.item) < ${wordsPerPredictionMax}
      RETURNING 1`,
  );
  return added.length > 0;
}

/** How many items of a job the record holds: 0 for one that it does not know. */
export async function countItems(db: Database, { tenant, job }: { tenant: string; job: string }): Promise<number> {
  const [found] = await rowsOf<{ n: number }>(
    db,
    sql`SELECT count(*)::integer AS n FROM millrace.predictions WHERE job = ${job} AND tenant = ${tenant}`,
  );
  return found?.n ?? 0;
}
