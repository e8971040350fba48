/**
 * The logits behind answers that show none (spans, transcripts): runs a model's pipeline and graph in this process and
 * holds them against the reference, each input alone and all in one padded batch. Test code only.
 */
import type { BatchTensor, PreparedSource, Row } from '../task.ts';
import { type Expected, errorOf, mediaPath, type Numbers, type ParityCase } from './expected.ts';
import { findModel, startModel } from './run-model.ts';

/** Tasks whose answers already show what the graph gave. */
const tellingTasks = new Set(['feature-extraction', 'text-ranking', 'image-classification']);

/** Greatest difference, alone and among others; null for a task whose answers show all. */
export async function compareLogits(directory: string, id: string, expected: Expected): Promise<number | null> {
  if (tellingTasks.has(expected.task)) return null;
  const model = await startModel(await findModel(directory, id));
  const rows: { row: Row; logits: Numbers }[] = [];
  for (const { input, logits, parameters } of expected.cases) {
    if (!logits) continue;
    const [row, ...more] = await model.prepare(sourceOf(input), { ...parameters });
    if (!row || more.length > 0) throw new Error(`${id}: an input became ${more.length + 1} rows.`);
    rows.push({ row, logits });
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
