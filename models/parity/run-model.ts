/**
 * Runs a real model through its pipeline in one process, as worker and lane do in several. Test code only.
 */
import { join } from 'node:path';
import { loadPipelineFactory } from '../discover-tasks.ts';
import { createDecoder } from '../generation/create-decoder.ts';
import { writeRows } from '../generation/decoder.ts';
import { prepareItem } from '../preparation/prepare-item.ts';
import type { ModelFiles, ModelSample } from '../repository/model-files.ts';
import { scanRepository } from '../repository/scan-repository.ts';
import type { BatchTensor, PreparedSource, Row, RowOutcome } from '../task.ts';
import { openEngine } from './onnx-engine.ts';

export interface RunningModel {
  readonly files: ModelFiles;
  prepare(source: PreparedSource, parameters?: Record<string, unknown>): Promise<Row[]>;
  /** One engine call: what the graph gave. */
  forward(rows: readonly Row[]): Promise<Readonly<Record<string, BatchTensor>>>;
  /** What the rows became together: in one engine call, or written token by token. */
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
  const merging = await factory.createPipeline(files, 'merge');
  const engine = await openEngine(files.versionFolder, lane.sessions);
  const forward = async (rows: readonly Row[]) => {
    if (lane.generation) throw new Error(`${files.id} writes token by token: it has no one engine call.`);
    return await engine.run('model', lane.collate(rows));
  };
  const run = async (rows: readonly Row[]) => {
    if (!lane.generation) return lane.postprocess(await forward(rows), rows);
    return await writeRows(createDecoder(engine, lane.generation, Object.keys(lane.sessions)), rows);
  };
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
