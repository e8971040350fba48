/** Joins the parts of an item that took several rows (long audio, many documents), with the pipeline of its model. */
import { loadPipelineFactory } from '../../models/discover-tasks.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { Pipeline } from '../../models/task.ts';
import type { RunningItem } from './running-job.ts';

const pipelines = new Map<string, Promise<Pipeline>>();

export async function mergeParts(files: ModelFiles, { parts, contexts }: RunningItem): Promise<unknown> {
  let pipeline = pipelines.get(files.versionFolder);
  if (!pipeline) {
    pipeline = loadPipelineFactory(files.task).then((factory) => factory.createPipeline(files, 'merge'));
    pipelines.set(files.versionFolder, pipeline);
  }
  return (await pipeline).merge(parts, contexts);
}
