/**
 * A page of predictions, newest first. One index gives the order and one equality (label, else model); whatever else is
 * asked for is checked row by row, in stretches, until the page is full or its time is over. So a page takes milliseconds
 * at any size of the table, and may hold fewer predictions than `limit` and still have a next one, as lists of jobs may.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { TaskRecord } from '../../../models/task.ts';
import type { ListAnswer, ListQuestion, PredictionCursor } from '../../../shared/predictions/words.ts';
import { rowsOf } from '../apply-steps.ts';
import type { Database } from '../database/open-database.ts';
import { newestFeedback, type ViewedRow, viewedColumns, viewPrediction } from './view-prediction.ts';

/** 1,000 rows that lie scattered are 2 to 10 ms. */
const stretchRows = 1000;
/** After that no further stretch is begun. */
const stretchesMs = 20;
/** Of a kept text so much is searched. */
const searchedCharacters = 2000;

export async function listPredictions(
  db: Database,
  question: ListQuestion,
  records: ReadonlyMap<string, TaskRecord>,
): Promise<ListAnswer> {
  const startedAt = performance.now();
  const { limit } = question;
  const rows: ViewedRow[] = [];
  let { cursor } = question;
  for (;;) {
    const stretch = { ...question, ...(cursor && { cursor }), limit: limit - rows.length };
    rows.push(...(await rowsOf<ViewedRow>(db, listStatement(stretch))));
    const data = rows.slice(0, limit).map((row) => viewPrediction(row, records));
    if (rows.length > limit) return { data, next: placeOf(rows[limit - 1] as ViewedRow) };
    const next = checksOf(question) ? await endOfStretch(db, stretch) : null;
    if (!next || performance.now() - startedAt > stretchesMs) return { data, next };
    cursor = next;
  }
}

export function listStatement(question: ListQuestion): SQL {
  const checks = checksOf(question);
  const scan = sql`SELECT * FROM millrace.predictions WHERE ${rangeOf(question)}
    ORDER BY finished_at DESC, job DESC, item DESC LIMIT ${checks ? stretchRows : question.limit + 1}`;
  const found = checks
    ? sql`SELECT * FROM (${scan}) s WHERE ${checks} ORDER BY finished_at DESC, job DESC, item DESC LIMIT ${question.limit + 1}`
    : scan;
  return sql`SELECT ${viewedColumns} FROM (${found}) p ${newestFeedback}
    ORDER BY p.finished_at DESC, p.job DESC, p.item DESC`;
}

/** Where the rows that were looked at end; null when there are none behind them. */
async function endOfStretch(db: Database, question: ListQuestion): Promise<PredictionCursor | null> {
  const [last] = await rowsOf<{ finished_ms: number; job: string; item: number }>(
    db,
    sql`SELECT (extract(epoch FROM finished_at) * 1000)::double precision AS finished_ms, job, item FROM millrace.predictions
      WHERE ${rangeOf(question)} ORDER BY finished_at DESC, job DESC, item DESC OFFSET ${stretchRows - 1} LIMIT 1`,
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
function checksOf({ task, label, model, minScore, maxScore, q }: ListQuestion): SQL | undefined {
  const parts: SQL[] = [];
  if (label !== undefined && model !== undefined) parts.push(sql`model = ${model}`);
  if (task !== undefined) parts.push(sql`task = ${task}`);
  if (minScore !== undefined) parts.push(sql`score >= ${minScore}`);
  if (maxScore !== undefined) parts.push(sql`score <= ${maxScore}`);
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
