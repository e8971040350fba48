/**
 * Joins the parts of an item that took several rows (a long text, long audio, many documents) to its output, encoded. Runs
 * in a preparation thread, or on the worker's loop where parts are few.
 */
import { encodeOutput } from '../../shared/jobs/output-codec.ts';
import { KeptPipelines } from '../kept-pipelines.ts';
import type { ModelFiles } from '../repository/model-files.ts';

export interface MergingItem {
  readonly files: ModelFiles;
  readonly parts: readonly unknown[];
  /** Of its rows. */
  readonly contexts: readonly unknown[];
}

const pipelines = new KeptPipelines('merge');

export async function mergeItem({ files, parts, contexts }: MergingItem): Promise<string> {
  return encodeOutput((await pipelines.get(files)).merge(parts, contexts));
}
