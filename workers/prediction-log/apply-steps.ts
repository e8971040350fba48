/**
 * Steps into the database: one transaction, rows by one statement per step, and each row once however often it comes.
 * A row that the database refuses for what it holds is left out alone, so that it does not hold up the others.
 */
import { sql } from 'drizzle-orm';
import { type Database, isDataFault } from './database/open-database.ts';
import type { LogStep } from './log-step.ts';
import type { PredictionRow } from './prediction-row.ts';

export interface Applied {
  readonly recorded: number;
  /** Rows that were there: a batch that came twice. */
  readonly known: number;
  /** Rows that the database refuses. */
  readonly refused: number;
  readonly erased: number;
  /** Names of kept media whose rows were erased. */
  readonly media: readonly string[];
}

/** The one place that knows the columns' types; a test holds it against the schema. */
const columns = {
  job: 'text',
  item: 'integer',
  tenant: 'text',
  task: 'text',
  model: 'text',
  version: 'text',
  arm: 'text',
  status: 'text',
  error: 'text',
  label: 'text',
  score: 'double precision',
  summary: 'jsonb',
  input_kind: 'text',
  input_hash: 'text',
  input: 'text',
  input_media: 'text',
  input_length: 'double precision',
  queue_seconds: 'double precision',
  prepare_seconds: 'double precision',
  compute_seconds: 'double precision',
  total_seconds: 'double precision',
  batch_rows: 'integer',
  trace_id: 'text',
  created_at: 'timestamptz',
  finished_at: 'timestamptz',
} satisfies Record<keyof PredictionRow, string>;

const names = sql.raw(Object.keys(columns).join(', '));
const typedNames = sql.raw(
  Object.entries(columns)
    .map(([name, type]) => `${name} ${type}`)
    .join(', '),
);

/** Throws when the database can not take them now; then none of them counts. */
export async function applySteps(db: Database, steps: readonly LogStep[]): Promise<Applied> {
  try {
    return await applyAll(db, steps);
  } catch (error) {
    if (!isDataFault(error)) throw error;
    return await applyOneByOne(db, steps);
  }
}

async function applyAll(db: Database, steps: readonly LogStep[]): Promise<Applied> {
  if (steps.length === 1) return await applyStep(db, steps[0] as LogStep);
  return await db.transaction(async (transaction) => {
    const all: Applied[] = [];
    for (const step of steps) all.push(await applyStep(transaction as unknown as Database, step));
    return sum(all);
  });
}

async function applyStep(db: Database, step: LogStep): Promise<Applied> {
  if (step.kind === 'erase') {
    const gone = await rowsOf<{ media: string | null }>(
      db,
      sql`DELETE FROM millrace.predictions WHERE job = ${step.job} AND tenant = ${step.tenant} RETURNING input_media AS media`,
    );
    const media = gone.map((row) => row.media).filter((name) => name !== null);
    return { recorded: 0, known: 0, refused: 0, erased: gone.length, media };
  }
  // One parameter whatever the number of rows: JSON is what they came as.
  const added = await rowsOf<{ n: number }>(
    db,
    sql`WITH added AS (
      INSERT INTO millrace.predictions (${names})
      SELECT ${names} FROM json_to_recordset(${step.json}::json) AS row(${typedNames})
      ON CONFLICT DO NOTHING RETURNING 1
    ) SELECT count(*)::integer AS n FROM added`,
  );
  const recorded = added[0]?.n ?? 0;
  return { recorded, known: step.rows - recorded, refused: 0, erased: 0, media: [] };
}

async function applyOneByOne(db: Database, steps: readonly LogStep[]): Promise<Applied> {
  const all: Applied[] = [];
  for (const step of steps) {
    const parts = step.kind === 'rows' ? splitRows(step) : [step];
    for (const part of parts) {
      try {
        all.push(await applyStep(db, part));
      } catch (error) {
        if (!isDataFault(error)) throw error;
        all.push({ recorded: 0, known: 0, refused: 1, erased: 0, media: [] });
      }
    }
  }
  return sum(all);
}

function splitRows(step: LogStep & { kind: 'rows' }): LogStep[] {
  return (JSON.parse(step.json) as unknown[]).map((row) => ({ ...step, rows: 1, json: JSON.stringify([row]) }));
}

function sum(all: readonly Applied[]): Applied {
  const total = (name: 'recorded' | 'known' | 'refused' | 'erased') => all.reduce((n, one) => n + one[name], 0);
  return {
    recorded: total('recorded'),
    known: total('known'),
    refused: total('refused'),
    erased: total('erased'),
    media: all.flatMap(({ media }) => media),
  };
}

/** The rows of a statement, whichever driver ran it. */
export async function rowsOf<Row>(db: Database, statement: ReturnType<typeof sql>): Promise<Row[]> {
  const result = (await db.execute(statement)) as unknown as { rows: Row[] };
  return result.rows;
}
