/**
 * Runs a real model through its pipeline in one process, as worker and lane do in several. Test code only: the one
 * place under models/ that imports onnxruntime-node.
 */
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { loadPipelineFactory } from '../discover-tasks.ts';
import { prepareItem } from '../preparation/prepare-item.ts';
import type { ModelFiles, ModelSample } from '../repository/model-files.ts';
import { scanRepository } from '../repository/scan-repository.ts';
import type { BatchTensor, PreparedSource, Row, RowOutcome } from '../task.ts';

export interface RunningModel {
  readonly files: ModelFiles;
  prepare(source: PreparedSource, parameters?: Record<string, unknown>): Promise<Row[]>;
  /** One engine call: what the graph gave. */
  forward(rows: readonly Row[]): Promise<Readonly<Record<string, BatchTensor>>>;
  /** One engine call: what the rows became. */
  run(rows: readonly Row[]): Promise<RowOutcome[]>;
  /** One item from source to output, alone. */
  answer(source: PreparedSource, parameters?: Record<string, unknown>): Promise<unknown>;
  merge(parts: readonly unknown[], rows: readonly Row[]): unknown;
  canary(): Promise<RowOutcome[]>;
}

export async function findModel(directory: string, id: string, dtype?: string): Promise<ModelFiles> {
  const { models, broken } = await scanRepository([directory]);
  const files = models.find((model) => model.id === id);
  if (!files) throw new Error(broken.find((model) => model.id === id)?.reason ?? `no model ${id} in ${directory}`);
  return dtype ? inDtype(files, dtype) : files;
}

/** The same model with its files of another dtype; pipelines are kept by revision. */
export function inDtype(files: ModelFiles, dtype: string): ModelFiles {
  return { ...files, dtype, revision: `${files.revision} ${dtype}` };
}

export async function startModel(files: ModelFiles): Promise<RunningModel> {
  const factory = await loadPipelineFactory(files.task);
  const lane = await factory.createPipeline(files, 'lane');
  if (lane.generation) throw new Error(`${files.id} writes token by token; this runner makes single calls.`);
  const merging = await factory.createPipeline(files, 'merge');
  const session = await InferenceSession.create(join(files.versionFolder, lane.sessions['model'] ?? ''), {
    intraOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const forward = async (rows: readonly Row[]) => {
    const feeds = Object.entries(lane.collate(rows)).map(([name, tensor]) => [name, toTensor(tensor)] as const);
    const outputs = await session.run(Object.fromEntries(feeds));
    return Object.fromEntries(Object.entries(outputs).map(fromTensor));
  };
  const run = async (rows: readonly Row[]) => lane.postprocess(await forward(rows), rows);
  const prepare = async (source: PreparedSource, parameters = {}) =>
    // Rows cross to the lane as structured clones.
    structuredClone(await prepareItem({ files, source, parameters }));
  const merge = (parts: readonly unknown[], rows: readonly Row[]) =>
    merging.merge(
      parts,
      rows.map(({ context }) => context),
    );
  return {
    files,
    prepare,
    forward,
    run,
    merge,
    async answer(source, parameters) {
      const outcomes: RowOutcome[] = [];
      const rows = await prepare(source, parameters);
      for (const row of rows) outcomes.push(...(await run([row])));
      return merge(outcomes.map(partOf), rows);
    },
    canary: () => run(lane.canary.rows),
  };
}

/** What a worker would be given for a sample of this model. */
export function sourceOf({ folder }: ModelFiles, { input }: ModelSample): PreparedSource {
  if (typeof input === 'string') return { kind: 'text', text: input };
  if ('value' in input) return { kind: 'json', value: input.value };
  return { kind: 'file', path: join(folder, input.file), type: '' };
}

export function partOf(outcome: RowOutcome | undefined): unknown {
  if (!outcome || 'problem' in outcome) throw new Error(outcome ? outcome.problem.detail : 'no outcome');
  return outcome.part;
}

function toTensor({ type, dims, data }: BatchTensor): Tensor {
  return type === 'int64'
    ? new Tensor(type, data as BigInt64Array, dims)
    : new Tensor(type, data as Float32Array, dims);
}

function fromTensor([name, tensor]: [string, Tensor]): [string, BatchTensor] {
  return [name, { type: 'float32', dims: tensor.dims, data: tensor.data as Float32Array }];
}
