/**
 * A page of predictions, newest first. One index gives the order and one equality (label, else model); whatever else is
 * asked for is checked on a bounded number of rows, so that a page takes milliseconds at any size of the table. A page may
 * hold fewer predictions than `limit` and still have a next one, as lists of jobs may.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { TaskRecord } from '../../../models/task.ts';
import type { ListAnswer, ListQuestion, PredictionCursor } from '../../../shared/predictions/words.ts';
import { rowsOf } from '../apply-steps.ts';
import type { Database } from '../database/open-database.ts';
import { newestFeedback, type ViewedRow, viewedColumns, viewPrediction } from './view-prediction.ts';

/** 10,000 rows from an index and their pages are 10 to 25 ms. */
const scannedMax = 10_000;
/** Of a kept text so much is searched. */
const searchedCharacters = 2000;

export async function listPredictions(
  db: Database,
  question: ListQuestion,
  records: ReadonlyMap<string, TaskRecord>,
): Promise<ListAnswer> {
  const rows = await rowsOf<ViewedRow>(db, listStatement(question));
  const shown = rows.slice(0, question.limit);
  const next = rows.length > question.limit ? placeOf(shown.at(-1) as ViewedRow) : await endOfScan(db, question);
  return { data: shown.map((row) => viewPrediction(row, records)), next };
}

export function listStatement(question: ListQuestion): SQL {
  const checks = checksOf(question);
  const scan = sql`SELECT * FROM millrace.predictions WHERE ${rangeOf(question)}
    ORDER BY finished_at DESC, job DESC, item DESC LIMIT ${checks ? scannedMax : question.limit + 1}`;
  const found = checks
    ? sql`SELECT * FROM (${scan}) s WHERE ${checks} ORDER BY finished_at DESC, job DESC, item DESC LIMIT ${question.limit + 1}`
    : scan;
  return sql`SELECT ${viewedColumns} FROM (${found}) p ${newestFeedback}
    ORDER BY p.finished_at DESC, p.job DESC, p.item DESC`;
}

/** Where the rows that were looked at end, when there may be more behind them. */
async function endOfScan(db: Database, question: ListQuestion): Promise<PredictionCursor | null> {
  if (!checksOf(question)) return null;
  const [last] = await rowsOf<{ finished_ms: number; job: string; item: number }>(
    db,
    sql`SELECT (extract(epoch FROM finished_at) * 1000)::double precision AS finished_ms, job, item FROM millrace.predictions
      WHERE ${rangeOf(question)} ORDER BY finished_at DESC, job DESC, item DESC OFFSET ${scannedMax - 1} LIMIT 1`,
  );
  return last ? placeOf(last) : null;
}

/** What an index answers: tenant, label or model, time, and the place to go on from. */
function rangeOf({ tenant, label, model, fromMs, toMs, cursor }: ListQuestion): SQL {
  const parts = [sql`tenant = ${tenant}`];
  if (label !== undefined) parts.push(sql`label = ${label}`);
  else if (model !== undefined) parts.push(sql`model = ${model}`);
  if (fromMs !== undefined) parts.push(sql`finished_at >= ${stamp(fromMs)}::timestamptz`);
  if (toMs !== undefined) parts.push(sql`finished_at < ${stamp(toMs)}::timestamptz`);
  if (cursor) {
    const { finishedMs, job, item } = cursor;
    parts.push(sql`(finished_at, job, item) < (${stamp(finishedMs)}::timestamptz, ${job}, ${item}::integer)`);
  }
  return sql.join(parts, sql` AND `);
}

/** What is looked at row by row; undefined when nothing is. */
function checksOf({ task, label, model, minScore, q }: ListQuestion): SQL | undefined {
  const parts: SQL[] = [];
  if (label !== undefined && model !== undefined) parts.push(sql`model = ${model}`);
  if (task !== undefined) parts.push(sql`task = ${task}`);
  if (minScore !== undefined) parts.push(sql`score >= ${minScore}`);
  if (q !== undefined) {
    const pattern = `%${q.replaceAll(/[\\%_]/g, '\\$&')}%`;
    parts.push(
      sql`(label ILIKE ${pattern} OR left(input, ${searchedCharacters}) ILIKE ${pattern} OR summary->>'text' ILIKE ${pattern})`,
    );
  }
  return parts.length > 0 ? sql.join(parts, sql` AND `) : undefined;
}

function placeOf(row: { finished_ms: number; job: string; item: number }): PredictionCursor {
  return { finishedMs: Math.round(row.finished_ms), job: row.job, item: row.item };
}

function stamp(ms: number): string {
  return new Date(ms).toISOString();
}
