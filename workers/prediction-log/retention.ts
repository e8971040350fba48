/**
 * Forgets what is old enough: inputs first, then predictions with their feedback. In small batches with pauses, so that a
 * million rows that fall due at once hold up neither readers nor the writer.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { rowsOf } from './apply-steps.ts';
import type { Database } from './database/open-database.ts';
import type { KeptMedia } from './kept-media.ts';

export interface Retention {
  readonly days: number;
  readonly inputDays: number;
}

const rowsAtOnce = 2000;
const pauseMs = 50;
const dayMs = 86_400_000;

/** Returns how many predictions went. */
export async function forgetOld(
  db: Database,
  media: KeptMedia,
  { days, inputDays }: Retention,
  nowMs: number,
  signal?: AbortSignal,
): Promise<number> {
  const inputsBefore = new Date(nowMs - Math.min(inputDays, days) * dayMs);
  await inBatches(signal, async () => {
    const gone = await rowsOf(
      db,
      sql`UPDATE millrace.predictions SET input = NULL, input_media = NULL WHERE (job, item) IN (
        SELECT job, item FROM millrace.predictions
        WHERE finished_at < ${inputsBefore.toISOString()}::timestamptz AND (input IS NOT NULL OR input_media IS NOT NULL)
        ORDER BY finished_at LIMIT ${rowsAtOnce}) RETURNING 1`,
    );
    return gone.length;
  });
  await media.sweep(inputsBefore.toISOString().slice(0, 10));
  const before = new Date(nowMs - days * dayMs).toISOString();
  return await inBatches(signal, async () => {
    const gone = await rowsOf(
      db,
      sql`DELETE FROM millrace.predictions WHERE (job, item) IN (
        SELECT job, item FROM millrace.predictions WHERE finished_at < ${before}::timestamptz LIMIT ${rowsAtOnce}) RETURNING 1`,
    );
    return gone.length;
  });
}

async function inBatches(signal: AbortSignal | undefined, batch: () => Promise<number>): Promise<number> {
  let total = 0;
  for (;;) {
    const count = await batch();
    total += count;
    if (count < rowsAtOnce || signal?.aborted) return total;
    await sleep(pauseMs);
  }
}
