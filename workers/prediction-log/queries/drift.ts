/**
 * Whether a model sees or says other things than it used to: labels, scores and input lengths of a window against those of
 * the time before. Counts come from the database; the rest is arithmetic.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { DriftAnswer, DriftBin, DriftQuestion, DriftSignal } from '../../../shared/predictions/words.ts';
import { rowsOf } from '../apply-steps.ts';
import type { Database } from '../database/open-database.ts';

/** The rest is `other`: a model may know ten thousand labels. */
const labelsMax = 20;
const scoreBins = 10;
/** Numbers of bins, as SQL: tenths of a score; lengths that double from bin to bin. */
export const scoreBin = sql.raw(`least(greatest(floor(score * ${scoreBins})::integer, 0), ${scoreBins - 1})::text`);
export const lengthBin = sql.raw('floor(log(2, greatest(input_length, 1)::numeric))::integer::text');

interface Count {
  readonly name: string | null;
  readonly reference: number;
  readonly current: number;
}

export interface DriftWindows {
  readonly fromMs: number;
  readonly sinceMs: number;
  readonly toMs: number;
}

export async function readDrift(db: Database, question: DriftQuestion, nowMs: number): Promise<DriftAnswer> {
  const sinceMs = nowMs - question.windowSeconds * 1000;
  const windows = { fromMs: sinceMs - question.referenceSeconds * 1000, sinceMs, toMs: nowMs };
  const where = sql`tenant = ${question.tenant} AND model = ${question.model}`;
  const [all, labels, scores, lengths] = await Promise.all([
    countBy(db, sql`''`, where, windows),
    countBy(db, sql`label`, where, windows),
    countBy(db, scoreBin, sql`${where} AND score IS NOT NULL`, windows),
    countBy(db, lengthBin, sql`${where} AND input_length IS NOT NULL`, windows),
  ]);
  const stamp = (ms: number) => new Date(ms).toISOString();
  return {
    object: 'drift',
    model: question.model,
    window: { from: stamp(sinceMs), to: stamp(nowMs), predictions: all[0]?.current ?? 0 },
    reference: { from: stamp(windows.fromMs), to: stamp(sinceMs), predictions: all[0]?.reference ?? 0 },
    labels: signal(topLabels(labels)),
    scores: signal(scores.map((bin) => ({ ...bin, name: scoreBinName(Number(bin.name)) })).sort(byName)),
    input_lengths: signal(
      lengths
        .toSorted((a, b) => Number(a.name) - Number(b.name))
        .map((bin) => ({ ...bin, name: lengthBinName(Number(bin.name)) })),
    ),
  };
}

/** `where` narrows the rows down; only outputs count, since a failed item says nothing of the model. */
async function countBy(db: Database, name: SQL, where: SQL, { fromMs, sinceMs, toMs }: DriftWindows): Promise<Count[]> {
  const at = (ms: number) => sql`${new Date(ms).toISOString()}::timestamptz`;
  return await rowsOf<Count>(
    db,
    sql`SELECT ${name} AS name,
      count(*) FILTER (WHERE finished_at < ${at(sinceMs)})::integer AS reference,
      count(*) FILTER (WHERE finished_at >= ${at(sinceMs)})::integer AS current
    FROM millrace.predictions
    WHERE ${where} AND status = 'succeeded' AND finished_at >= ${at(fromMs)} AND finished_at < ${at(toMs)}
    GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 10000`,
  );
}

/** The most frequent labels by name, the others together. Items without a label (an empty list of spans) are `none`. */
export function topLabels(counts: readonly Count[], max = labelsMax): DriftBin[] {
  const top = counts.slice(0, max).map((count) => ({ ...count, name: count.name ?? 'none' }));
  const rest = counts.slice(max);
  if (rest.length === 0) return top;
  const total = (of: 'reference' | 'current') => rest.reduce((sum, count) => sum + count[of], 0);
  return [...top, { name: 'other', reference: total('reference'), current: total('current') }];
}

export function signal(bins: readonly (Count | DriftBin)[]): DriftSignal {
  const named = bins.map(({ name, reference, current }) => ({ name: name ?? 'none', reference, current }));
  return { psi: stabilityIndex(named), bins: named };
}

/**
 * Sum over the bins of (share now - share before) x ln(share now / share before). Half a prediction is added to each bin,
 * so that one that was empty in either window gives a number.
 */
export function stabilityIndex(bins: readonly DriftBin[]): number | null {
  const before = bins.reduce((sum, { reference }) => sum + reference, 0);
  const now = bins.reduce((sum, { current }) => sum + current, 0);
  if (before === 0 || now === 0) return null;
  const share = (count: number, total: number) => (count + 0.5) / (total + 0.5 * bins.length);
  const index = bins.reduce((sum, { reference, current }) => {
    const [p, q] = [share(current, now), share(reference, before)];
    return sum + (p - q) * Math.log(p / q);
  }, 0);
  return Math.round(index * 1e4) / 1e4;
}

function scoreBinName(bin: number): string {
  return `${(bin / scoreBins).toFixed(1)}-${((bin + 1) / scoreBins).toFixed(1)}`;
}

/** Lengths double from bin to bin. */
function lengthBinName(bin: number): string {
  return bin === 0 ? '0-1' : `${2 ** bin}-${2 ** (bin + 1) - 1}`;
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}
