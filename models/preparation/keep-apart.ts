/**
 * Which models' rows may share engine calls, and how the rows of the others are kept apart. A graph that quantises its
 * activations while it runs takes one scale over a whole tensor, padding and batch-mates included: with the int8 file of
 * all-MiniLM-L6-v2 one batch-mate turns a sentence's vector by up to cosine 0.960. So such rows run alone, unpadded, unless
 * the manifest says how far they may move (`batch_drift_max`, measured on the card).
 */
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { ModelFiles } from '../repository/model-files.ts';
import { readGraphOperators } from '../repository/read-graph.ts';
import type { PipelineBase, Row } from '../task.ts';

const quantizingOperators = ['DynamicQuantizeLinear', 'DynamicQuantizeMatMul', 'DynamicQuantizeLSTM'];

/** Whether rows may share calls, by the pipeline that made them: a graph is read once. */
const answers = new WeakMap<PipelineBase, boolean>();

export function mayShareCalls(files: ModelFiles, pipeline: PipelineBase): boolean {
  if (files.batchDriftMax !== null) return true;
  const known = answers.get(pipeline);
  if (known !== undefined) return known;
  const answer = Object.values(pipeline.sessions).every((graph) => {
    const operators = readGraphOperators(join(files.versionFolder, graph));
    return !quantizingOperators.some((operator) => operators.has(operator));
  });
  answers.set(pipeline, answer);
  return answer;
}

let keysGiven = 0;

/**
 * The same rows, each with a shape key that no other row of this process has: no policy joins what has different keys. Rows
 * that are written token by token meet beyond their keys; `alone` is for them.
 */
export function keepApart(rows: readonly Row[]): Row[] {
  return rows.map((row) => ({ ...row, shapeKey: `${row.shapeKey} alone ${threadId}.${++keysGiven}`, alone: true }));
}
