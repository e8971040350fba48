/** Joins the parts of an item that took several rows (long audio, many documents), with the pipeline of its model. */
import { KeptPipelines } from '../../models/kept-pipelines.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { RunningItem } from './running-job.ts';

const pipelines = new KeptPipelines('merge');

export async function mergeParts(files: ModelFiles, { parts, contexts }: RunningItem): Promise<unknown> {
  return (await pipelines.get(files)).merge(parts, contexts);
}
