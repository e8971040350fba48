/**
 * Tables of the record of predictions. `npx drizzle-kit generate --config workers/prediction-log/database/drizzle.config.mjs`
 * turns a change here into a migration, which is committed. The same SQL runs on PostgreSQL 13 and later and on PGlite.
 */
import { sql } from 'drizzle-orm';
import {
  bigint,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';

/** A schema of its own: the database may belong to others too. */
export const schema = pgSchema('millrace');

const stamp = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });

/** One row per item of a job that ended. */
export const predictions = schema.table(
  'predictions',
  {
    job: text().notNull(),
    item: integer().notNull(),
    tenant: text().notNull(),
    task: text().notNull(),
    model: text().notNull(),
    version: text(),
    /** Which of several compared models was asked; for later A/B tests. */
    arm: text(),
    status: text().notNull(),
    /** Slug of the problem of an item that did not succeed. */
    error: text(),
    label: text(),
    score: doublePrecision(),
    summary: jsonb(),
    inputKind: text('input_kind'),
    /** SHA-256 in hex. */
    inputHash: text('input_hash'),
    /** The text or URL itself, under the policy `full`. */
    input: text(),
    /** Name of the kept media file, under the policy `full`. */
    inputMedia: text('input_media'),
    /** In the unit of the task: characters, seconds, pixels. */
    inputLength: doublePrecision('input_length'),
    queueSeconds: doublePrecision('queue_seconds'),
    prepareSeconds: doublePrecision('prepare_seconds'),
    computeSeconds: doublePrecision('compute_seconds'),
    totalSeconds: doublePrecision('total_seconds'),
    batchRows: integer('batch_rows'),
    traceId: text('trace_id'),
    createdAt: stamp('created_at').notNull(),
    finishedAt: stamp('finished_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.job, table.item] }),
    // Pages: newest first, from the last one seen on. One index per way to narrow down that is an equality.
    index('predictions_page').on(table.tenant, table.finishedAt, table.job, table.item),
    index('predictions_model_page').on(table.tenant, table.model, table.finishedAt, table.job, table.item),
    index('predictions_label_page').on(table.tenant, table.label, table.finishedAt, table.job, table.item),
    // Retention and drift over all tenants: rows come in order of time, so a block range index costs almost nothing.
    index('predictions_time').using('brin', table.finishedAt),
    index('predictions_kept_input')
      .on(table.finishedAt)
      .where(sql`${table.input} is not null or ${table.inputMedia} is not null`),
  ],
);

/** What people said of a prediction. Every word is kept; the newest counts. */
export const feedback = schema.table(
  'feedback',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    job: text().notNull(),
    item: integer().notNull(),
    tenant: text().notNull(),
    verdict: text().notNull(),
    /** The right output, as `record.ts` of the task takes it. */
    corrected: jsonb(),
    note: text(),
    createdAt: stamp('created_at').notNull().defaultNow(),
  },
  (table) => [
    foreignKey({ columns: [table.job, table.item], foreignColumns: [predictions.job, predictions.item] }).onDelete(
      'cascade',
    ),
    index('feedback_of').on(table.tenant, table.job, table.item, table.id),
    index('feedback_row').on(table.job, table.item),
  ],
);
