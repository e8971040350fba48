/**
 * What stands behind answers that show no numbers (spans, transcripts, texts): runs a model's pipeline and graphs in this
 * process and holds logits, or tokens with their log-probabilities, against the reference, each input alone and all in
 * one batch. Test code only.
 */
import type { BatchTensor, PreparedSource, Row, Written } from '../task.ts';
import { type Expected, errorOf, marginMin, mediaPath, type Numbers, type ParityCase, type Step } from './expected.ts';
import { findModel, startModel } from './run-model.ts';
import { type RunningWriter, startWriter } from './run-writer.ts';

/** Tasks whose answers already show what the graph gave. */
const tellingTasks = new Set(['feature-extraction', 'text-ranking', 'image-classification']);

/** Greatest difference, alone and among others; infinite for a wrong token; null for a task whose answers show all. */
export async function compareLogits(directory: string, id: string, expected: Expected): Promise<number | null> {
  if (tellingTasks.has(expected.task)) return null;
  const writer = await startWriter(directory, id);
  if (!writer) return await compareCalls(directory, id, expected);
  try {
    return await compareWriting(writer, expected);
  } finally {
    await writer.stop();
  }
}

async function compareCalls(directory: string, id: string, { cases }: Expected): Promise<number> {
  const model = await startModel(await findModel(directory, id));
  const rows: { row: Row; logits: Numbers }[] = [];
  for (const { input, logits, parameters } of cases) {
    if (logits) rows.push({ row: onlyRow(await model.prepare(sourceOf(input), { ...parameters })), logits });
  }
  const errors: number[] = [];
  const batches = [...rows.map((one) => [one]), ...Map.groupBy(rows, ({ row }) => row.shapeKey).values()];
  for (const batch of batches) {
    const outputs = await model.forward(batch.map(({ row }) => row));
    for (const [place, { logits }] of batch.entries()) {
      errors.push(errorOf(rowOf(outputs['logits'], place, logits.dims), logits.data));
    }
  }
  return Math.max(...errors);
}

async function compareWriting(writer: RunningWriter, { cases }: Expected): Promise<number> {
  const rows: { row: Row; steps: readonly Step[] }[] = [];
  for (const { input, steps, parameters } of cases) {
    if (steps) rows.push({ row: onlyRow(await writer.prepare(sourceOf(input), parameters)), steps });
  }
  const errors: number[] = [];
  for (const batch of [...rows.map((one) => [one]), rows]) {
    const { written } = await writer.write(batch.map(({ row }) => row));
    for (const { row, steps } of batch) errors.push(errorOfSteps(written.get(row), steps));
  }
  return Math.max(...errors);
}

/** Token by token. After a toss-up that went the other way the texts part, and nothing more can be compared. */
function errorOfSteps(written: Written | undefined, steps: readonly Step[]): number {
  let most = 0;
  // The stop token has a log-probability, but is not among the ids.
  for (const [at, { id, logProb, margin }] of steps.entries()) {
    const own = written?.ids[at] ?? (at === written?.ids.length && written.reason === 'stop' ? id : undefined);
    if (own !== id) return margin > marginMin ? Number.POSITIVE_INFINITY : most;
    most = Math.max(most, Math.abs((written?.logProbs[at] ?? Number.NaN) - logProb));
  }
  return Number.isNaN(most) || (written?.ids.length ?? 0) > steps.length ? Number.POSITIVE_INFINITY : most;
}

function onlyRow(rows: readonly Row[]): Row {
  const [row, ...more] = rows;
  if (!row || more.length > 0) throw new Error(`An input became ${rows.length} rows.`);
  return row;
}

function sourceOf(input: ParityCase['input']): PreparedSource {
  const path = mediaPath(input);
  return path ? { kind: 'file', path, type: '' } : { kind: 'text', text: String(input) };
}

/** One row's logits, without what padding added along the first axis. */
function rowOf(
  tensor: BatchTensor | undefined,
  place: number,
  [length = 0, width = 0]: readonly number[],
): Float32Array {
  const data = tensor?.data as Float32Array;
  const rowSize = data.length / (tensor?.dims[0] ?? 1);
  return data.subarray(place * rowSize, place * rowSize + length * width);
}
