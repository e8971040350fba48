/**
 * One item to its rows, with the pipelines of this thread kept between items. Runs in a preparation thread, or on the
 * worker's loop for short texts. Knows pipelines; knows neither threads nor queues.
 */
import { KeptPipelines } from '../kept-pipelines.ts';
import type { ModelFiles } from '../repository/model-files.ts';
import type { PipelineBase, PreparedSource, Row } from '../task.ts';
import { keepApart, mayShareCalls } from './keep-apart.ts';

export interface PreparationItem {
  readonly files: ModelFiles;
  readonly source: PreparedSource;
  readonly parameters: Readonly<Record<string, unknown>>;
}

const pipelines = new KeptPipelines('prepare');

/** Throws Problem for a fault of the input; anything else is a fault of ours or of the model's files. */
export async function prepareItem(item: PreparationItem, signal?: AbortSignal): Promise<Row[]> {
  signal?.throwIfAborted();
  const pipeline = await pipelineFor(item.files);
  signal?.throwIfAborted();
  const rows = await pipeline.prepare(item.source, item.parameters, signal);
  return mayShareCalls(item.files, pipeline) ? rows : keepApart(rows);
}

/** Made now if it is not there yet. */
export function pipelineFor(files: ModelFiles): Promise<PipelineBase> {
  return pipelines.get(files);
}

/** Buffers behind the rows' tensors, each once: to be moved to another thread instead of copied. */
export function rowBuffers(rows: readonly Row[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const row of rows)
    for (const { data } of Object.values(row.tensors)) if (data.buffer instanceof ArrayBuffer) buffers.add(data.buffer);
  return [...buffers];
}
