/**
 * What B6 writes with: starter-diagram (our export for slots, trained), the tests' tiny stock export, and stock exports of
 * true shape. Sessions are those of a lane, in this process on one thread. The encoder runs once and what it gave is handed
 * out again: decoding is raced.
 */
import { join } from 'node:path';
import { loadPipelineFactory } from '../../models/discover-tasks.ts';
import type { Engine, Tensors } from '../../models/generation/engine.ts';
import { joinRows, rowOf } from '../../models/generation/row-tensors.ts';
import { tinyFolder, tinyPlan, tinyRow } from '../../models/generation/testing/tiny-model.ts';
import { findModel } from '../../models/parity/run-model.ts';
import type { BatchTensor, GenerationPlan, Row } from '../../models/task.ts';
import { type OnnxSession, openSession } from '../../workers/lane/onnx-session.ts';

export interface Subject {
  readonly engine: Engine;
  readonly plan: GenerationPlan;
  readonly sessions: readonly string[];
  /** What the encoder is given for one row. */
  readonly feeds: Tensors;
  /** A row that ends after so many tokens, whatever they are. */
  row(tokens: number): Row;
}

const zoo = join(import.meta.dirname, '../../models/zoo');

export async function openSlots(): Promise<Subject> {
  return await openModel(zoo, 'starter-diagram');
}

export async function openModel(directory: string, id: string): Promise<Subject> {
  const files = await findModel(directory, id);
  const pipeline = await (await loadPipelineFactory(files.task)).createPipeline(files, 'lane');
  const [row] = pipeline.canary.rows;
  if (!pipeline.generation || !row) throw new Error(`${id} does not write token by token.`);
  return await openSubject(files.versionFolder, pipeline.sessions, pipeline.generation, row);
}

export async function openStock(): Promise<Subject> {
  const sessions = { encoder: 'onnx/encoder_model.onnx', decoder: 'onnx/decoder_model_merged.onnx' };
  return await openSubject(join(tinyFolder, 'stock'), sessions, tinyPlan, tinyRow(1));
}

async function openSubject(
  folder: string,
  graphs: Readonly<Record<string, string>>,
  plan: GenerationPlan,
  model: Row,
): Promise<Subject> {
  const opened = new Map<string, OnnxSession>();
  for (const [name, graph] of Object.entries(graphs))
    opened.set(name, await openSession(join(folder, graph), { device: 'cpu', threads: 1 }, name !== 'encoder'));
  const session = (name: string) => opened.get(name) as OnnxSession;
  const feeds = plan.collate([model]);
  const encoded = repeatedRows(await session('encoder').run(feeds));
  return {
    sessions: Object.keys(graphs),
    feeds,
    engine: {
      inputs: (name) => session(name).inputs,
      outputs: (name) => session(name).outputs,
      run: async (name, given, wanted) =>
        name === 'encoder' ? encoded(Object.values(given)[0]?.dims[0] ?? 1) : await session(name).run(given, wanted),
    },
    plan: fixedLengths(plan, model, repeatedRows(feeds)),
    row: (tokens) => ({ ...model, context: tokens }),
  };
}

/** One row's tensors as those of `count` equal rows; each count is made once. */
function repeatedRows(tensors: Tensors): (count: number) => Tensors {
  const made = new Map<number, Tensors>();
  return (count) => {
    const known = made.get(count);
    if (known) return known;
    const rows = Object.entries(tensors).map(([name, tensor]) => {
      const row = rowOf(tensor, 0);
      return [name, kept(joinRows(Array.from({ length: count }, () => row)))] as const;
    });
    const repeated = Object.fromEntries(rows);
    made.set(count, repeated);
    return repeated;
  };
}

/** A part of a longer buffer: decoders give states back that nobody reads again, and these are handed out again. */
function kept(tensor: BatchTensor): BatchTensor {
  const { buffer, byteOffset, byteLength, length } = tensor.data;
  const longer = new Uint8Array(byteLength + 8);
  longer.set(new Uint8Array(buffer, byteOffset, byteLength));
  const Data = tensor.data.constructor as new (bytes: ArrayBuffer, from: number, length: number) => BatchTensor['data'];
  return { ...tensor, data: new Data(longer.buffer, 0, length) } as BatchTensor;
}

/** Greedy texts whose length stands in the row, and their tokens as they are. */
function fixedLengths(plan: GenerationPlan, model: Row, feeds: (count: number) => Tensors): GenerationPlan {
  const { promptIds } = plan.begin(model, 0);
  return {
    positionsMax: plan.positionsMax,
    collate: (rows) => feeds(rows.length),
    begin: ({ context }) => ({
      promptIds,
      tokensMax: context as number,
      stopIds: [],
      sampling: { temperature: 0 },
      skipLogProbs: true,
    }),
    finish: (_row, { ids }) => ({ part: ids }),
  };
}
