/**
 * Judged predictions as examples that a trainer of their task reads, a page at a time: memory does not grow with their
 * number. The newest word on a prediction counts. What was cut when it was recorded is no example unless it was corrected.
 */
import { sql } from 'drizzle-orm';
import type { TaskRecord } from '../../../models/task.ts';
import type { ExportQuestion } from '../../../shared/predictions/words.ts';
import { rowsOf } from '../apply-steps.ts';
import type { Database } from '../database/open-database.ts';
import { mediaPath, type ViewedRow } from '../queries/view-prediction.ts';

export type Example = Readonly<Record<string, unknown>>;

const rowsPerPage = 500;
const verdictsOf = { corrected: ['wrong'], confirmed: ['right'], all: ['wrong', 'right'] } as const;

/** `record.toExample` must not be null. */
export async function* judgedExamples(
  db: Database,
  question: ExportQuestion,
  record: TaskRecord,
): AsyncGenerator<Example[]> {
  let after: { job: string; item: number } = { job: '', item: -1 };
  for (;;) {
    const rows = await readPage(db, question, after);
    const examples = rows.map((row) => toExample(row, record, question.origin)).filter((example) => example !== null);
    if (examples.length > 0) yield examples;
    const last = rows.at(-1);
    if (!last || rows.length < rowsPerPage) return;
    after = last;
  }
}

async function readPage(
  db: Database,
  { tenant, task, model, include, fromMs, toMs }: ExportQuestion,
  after: { job: string; item: number },
): Promise<ViewedRow[]> {
  const conditions = [
    sql`f.tenant = ${tenant} AND (f.job, f.item) > (${after.job}, ${after.item}::integer)`,
    sql`p.task = ${task} AND p.tenant = f.tenant`,
    sql`f.verdict = ANY (${sql.param(`{${verdictsOf[include].join(',')}}`)}::text[])`,
    // A wrong one that nobody corrected teaches nothing.
    sql`(f.verdict = 'right' OR f.corrected IS NOT NULL)`,
    sql`NOT EXISTS (SELECT 1 FROM millrace.feedback n WHERE n.tenant = f.tenant AND n.job = f.job AND n.item = f.item AND n.id > f.id)`,
  ];
  if (model !== undefined) conditions.push(sql`p.model = ${model}`);
  if (fromMs !== undefined) conditions.push(sql`p.finished_at >= ${new Date(fromMs).toISOString()}::timestamptz`);
  if (toMs !== undefined) conditions.push(sql`p.finished_at < ${new Date(toMs).toISOString()}::timestamptz`);
  return await rowsOf<ViewedRow>(
    db,
    sql`SELECT p.*, f.verdict, f.corrected, f.note, (extract(epoch FROM f.created_at) * 1000)::double precision AS judged_ms
      FROM millrace.feedback f JOIN millrace.predictions p ON p.job = f.job AND p.item = f.item
      WHERE ${sql.join(conditions, sql` AND `)} ORDER BY f.job, f.item LIMIT ${rowsPerPage}`,
  );
}

function toExample(row: ViewedRow, record: TaskRecord, origin: string): Example | null {
  const wish = { parameters: {}, keepsInput: true, sizeMax: Number.MAX_SAFE_INTEGER };
  const kept = (row.summary ?? {}) as Readonly<Record<string, unknown>>;
  const summary = row.corrected === null ? kept : { ...kept, ...record.summarize(row.corrected, wish).summary };
  if (row.corrected === null && (row.summary === null || kept['cut'])) return null;
  const isText = row.input_kind === 'text' || row.input_kind === 'json';
  const reference = row.input_media === null ? row.input : `${origin}${mediaPath(row.job, row.item)}`;
  return {
    id: `${row.job}/${row.item}`,
    ...record.toExample?.({ text: isText ? row.input : null, reference: isText ? null : reference, summary }),
    input_sha256: row.input_hash,
    model: row.model,
    model_version: row.version,
    verdict: row.verdict,
    note: row.note,
    judged_at: row.judged_ms === null ? null : new Date(Math.round(row.judged_ms)).toISOString(),
  };
}
