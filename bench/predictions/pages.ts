/** Pages of a full record: fills it with rows of many tenants' shapes, and times each kind of question. */
import { sql } from 'drizzle-orm';
import type { ListQuestion, PredictionCursor } from '../../shared/predictions/words.ts';
import { rowsOf } from '../../workers/prediction-log/apply-steps.ts';
import type { Database } from '../../workers/prediction-log/database/open-database.ts';
import { readDrift } from '../../workers/prediction-log/queries/drift.ts';
import { listPredictions, listStatement } from '../../workers/prediction-log/queries/list-predictions.ts';

export interface PageTimes {
  readonly name: string;
  readonly medianMs: number;
  readonly worstMs: number;
  readonly found: number;
}

const rowsAtOnce = 50_000;
const rounds = 15;

/** Over the last 30 days: 9 of 10 rows are one tenant's, with 5 models, 20 labels and one rare label. */
export async function fillRecord(db: Database, rows: number): Promise<void> {
  for (let from = 0; from < rows; from += rowsAtOnce) {
    const to = Math.min(rows, from + rowsAtOnce) - 1;
    await db.execute(
      sql.raw(`INSERT INTO millrace.predictions
      (job, item, tenant, task, model, version, status, label, score, summary, input_kind, input_hash, input, input_length, total_seconds, batch_rows, trace_id, created_at, finished_at)
      SELECT 'job_0' || lpad(to_hex(n), 32, '0'), 0, CASE WHEN n % 10 = 0 THEN 'other' ELSE 'default' END,
        'token-classification', 'model-' || n % 5, '1', 'succeeded',
        CASE WHEN n % 50000 = 7 THEN 'rare' ELSE 'label-' || n % 20 END, (n % 1000) / 1000.0,
        '{"spans": [{"label": "TYPE", "start": 0, "end": 6, "score": 0.98}, {"label": "VOLUME", "start": 10, "end": 14, "score": 0.97}]}',
        'text', md5(n::text) || md5(n::text), 'milk ' || n || ' 3.2% 1l from the farm ' || CASE WHEN n % 100000 = 9 THEN 'needle' ELSE 'hay' END, 20 + n % 400,
        0.05, 4, md5(n::text), now() - (${rows} - n) * interval '30 days' / ${rows}, now() - (${rows} - n) * interval '30 days' / ${rows}
      FROM generate_series(${from}, ${to}) n`),
    );
  }
  await db.execute(sql.raw('VACUUM ANALYZE millrace.predictions'));
}

export async function timePages(db: Database): Promise<PageTimes[]> {
  const base = { tenant: 'default', limit: 20 };
  const day = 86_400_000;
  const deep = await placeAt(db, base, 15 * day);
  const questions: Record<string, ListQuestion> = {
    'first page': base,
    'page in the middle': { ...base, cursor: deep },
    model: { ...base, model: 'model-3', cursor: deep },
    label: { ...base, label: 'label-7' },
    'rare label': { ...base, label: 'rare' },
    'label and model that never meet': { ...base, label: 'label-7', model: 'model-3' },
    'min_score, one in a hundred': { ...base, minScore: 0.99 },
    'min_score that nothing has': { ...base, minScore: 2 },
    'task that is not there': { ...base, task: 'image-classification' },
    'from and to': { ...base, fromMs: Date.now() - 10 * day, toMs: Date.now() - 9 * day },
    'q, everywhere': { ...base, q: 'farm' },
    'q, nowhere near': { ...base, q: 'needle' },
  };
  const times: PageTimes[] = [];
  for (const [name, question] of Object.entries(questions)) {
    const all: number[] = [];
    let found = 0;
    for (let round = 0; round < rounds; round++) {
      const startedAt = performance.now();
      found = (await listPredictions(db, question, new Map())).data.length;
      all.push(performance.now() - startedAt);
    }
    all.sort((a, b) => a - b);
    times.push({ name, medianMs: all[Math.floor(rounds / 2)] as number, worstMs: all.at(-1) as number, found });
  }
  const startedAt = performance.now();
  await readDrift(
    db,
    { tenant: 'default', model: 'model-3', windowSeconds: 86_400, referenceSeconds: 7 * 86_400 },
    Date.now(),
  );
  const driftMs = performance.now() - startedAt;
  times.push({ name: 'drift: a day against a week', medianMs: driftMs, worstMs: driftMs, found: 0 });
  return times;
}

/** What the database does for the question that looks at most rows. */
export async function explainWorst(db: Database): Promise<string[]> {
  const statement = listStatement({ tenant: 'default', limit: 20, q: 'needle' });
  const rows = await rowsOf<Record<string, string>>(db, sql`EXPLAIN (ANALYZE, BUFFERS) ${statement}`);
  return rows.map((row) => row['QUERY PLAN'] ?? '');
}

async function placeAt(db: Database, question: ListQuestion, agoMs: number): Promise<PredictionCursor> {
  const { next } = await listPredictions(db, { ...question, limit: 1, toMs: Date.now() - agoMs }, new Map());
  if (!next) throw new Error('the record is too short');
  return next;
}
