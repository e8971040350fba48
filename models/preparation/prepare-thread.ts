/**
 * What a Piscina thread runs: prepares one item and moves the rows' buffers back, or joins the parts of one. Expected trouble comes back as data,
 * since an error thrown across threads loses its class.
 *
 * Abort: aborting Piscina's own signal terminates the thread, and with it every tokeniser it holds (and may orphan an
 * ffmpeg). So a task may carry a state that the loop can set to aborted: that item alone ends, and ffmpeg is killed.
 */
import { setPriority } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { Problem, type ProblemDetails } from '../../shared/problems/problem.ts';
import type { ModelFiles } from '../repository/model-files.ts';
import type { Row } from '../task.ts';
import { type ItemState, whileWatched } from './item-state.ts';
import { type MergingItem, mergeItem } from './merge-item.ts';
import { type PreparationItem, pipelineFor, prepareItem, rowBuffers } from './prepare-item.ts';

/** On Linux this is the calling thread's niceness: decoding must not keep the loop of its own process from the core. */
const preparationPriority = 5;
if (!isMainThread) setPriority(preparationPriority);

export interface PreparationTask extends PreparationItem {
  readonly state?: ItemState;
}

/** Loads what items of this model will need, so that the first one does not wait for it (0.3 s for speech, 0.6 images). */
export interface WarmUpTask {
  readonly warm: ModelFiles;
}

export interface MergeTask {
  readonly merge: MergingItem;
}

export type ThreadTask = PreparationTask | WarmUpTask | MergeTask;

export type PreparationResult =
  | { readonly rows: readonly Row[] }
  | { readonly output: string }
  | { readonly problem: ProblemDetails }
  | { readonly aborted: true };

export default async function runTask(task: ThreadTask): Promise<PreparationResult> {
  if ('merge' in task) return await merge(task.merge);
  if ('warm' in task) {
    await pipelineFor(task.warm);
    return { rows: [] };
  }
  return await prepare(task);
}

async function merge(item: MergingItem): Promise<PreparationResult> {
  try {
    return { output: await mergeItem(item) };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.toDetails() };
    throw error;
  }
}

async function prepare({ state, ...item }: PreparationTask): Promise<PreparationResult> {
  return await whileWatched(state, async (signal) => {
    try {
      const rows = await prepareItem(item, signal);
      return moving({ rows });
    } catch (error) {
      if (signal.aborted) return { aborted: true };
      if (error instanceof Problem) return { problem: error.toDetails() };
      throw error;
    }
  });
}

/** The result, as Piscina is told to move its buffers instead of copying them. */
function moving(result: { readonly rows: readonly Row[] }): PreparationResult {
  return move({
    get [transferableSymbol]() {
      return rowBuffers(result.rows);
    },
    get [valueSymbol]() {
      return result;
    },
  }) as unknown as PreparationResult;
}
