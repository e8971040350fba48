/**
 * One item to its rows, with the pipelines of this thread kept between items. Runs in a preparation thread, or on the
 * worker's loop for short texts. Knows pipelines; knows neither threads nor queues.
 */
import { loadPipelineFactory } from '../discover-tasks.ts';
import type { ModelFiles } from '../repository/model-files.ts';
import type { Pipeline, PreparedSource, Row } from '../task.ts';

export interface PreparationItem {
  readonly files: ModelFiles;
  readonly source: PreparedSource;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A tokeniser of 30,000 words holds about 10 MB: eight of them keep a thread under 100 MB. */
const pipelinesMax = 8;
const pipelines = new Map<string, Promise<Pipeline>>();

/** Throws Problem for a fault of the input; anything else is a fault of ours or of the model's files. */
export async function prepareItem(item: PreparationItem, signal?: AbortSignal): Promise<Row[]> {
  signal?.throwIfAborted();
  const pipeline = await pipelineFor(item.files);
  signal?.throwIfAborted();
  return pipeline.prepare(item.source, item.parameters, signal);
}

/** The pipeline for preparation of this model version; made once, the least recently used dropped. */
export function pipelineFor(files: ModelFiles): Promise<Pipeline> {
  const key = `${files.versionFolder}\n${files.dtype}`;
  const pipeline = pipelines.get(key) ?? createPipeline(files, key);
  pipelines.delete(key);
  pipelines.set(key, pipeline);
  const oldest = pipelines.keys().next().value;
  if (pipelines.size > pipelinesMax && oldest !== undefined) pipelines.delete(oldest);
  return pipeline;
}

async function createPipeline(files: ModelFiles, key: string): Promise<Pipeline> {
  try {
    const factory = await loadPipelineFactory(files.task);
    return await factory.createPipeline(files, 'prepare');
  } catch (error) {
    // A file may be on its way: the next item tries again.
    pipelines.delete(key);
    throw error;
  }
}

/** Buffers behind the rows' tensors, each once: to be moved to another thread instead of copied. */
export function rowBuffers(rows: readonly Row[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const row of rows)
    for (const { data } of Object.values(row.tensors)) if (data.buffer instanceof ArrayBuffer) buffers.add(data.buffer);
  return [...buffers];
}
