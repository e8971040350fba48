/**
 * What a Piscina thread runs: prepares one item and moves the rows' buffers back, or joins the parts of one. Expected trouble comes back as data,
 * since an error thrown across threads loses its class.
 *
 * Abort: aborting Piscina's own signal terminates the thread, and with it every tokeniser it holds (and may orphan an
 * ffmpeg). So a task may carry a MessagePort; any message on it aborts that item alone, and ffmpeg is killed. The thread
 * says one word on it when it takes the item.
 */
import { setPriority } from 'node:os';
import { isMainThread, type MessagePort } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { Problem, type ProblemDetails } from '../../shared/problems/problem.ts';
import type { ModelFiles } from '../repository/model-files.ts';
import type { Row } from '../task.ts';
import { type MergingItem, mergeItem } from './merge-item.ts';
import { type PreparationItem, pipelineFor, prepareItem, rowBuffers } from './prepare-item.ts';

/** On Linux this is the calling thread's niceness: decoding must not keep the loop of its own process from the core. */
const preparationPriority = 5;
if (!isMainThread) setPriority(preparationPriority);

export interface PreparationTask extends PreparationItem {
  /** Must also stand in the transfer list of `pool.run`. */
  readonly abort?: MessagePort;
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

async function prepare(task: PreparationTask): Promise<PreparationResult> {
  const controller = new AbortController();
  task.abort?.once('message', () => controller.abort());
  task.abort?.postMessage('started');
  try {
    const rows = await prepareItem(task, controller.signal);
    const moved: PreparationResult = { rows };
    return move({
      get [transferableSymbol]() {
        return rowBuffers(rows);
      },
      get [valueSymbol]() {
        return moved;
      },
    }) as unknown as PreparationResult;
  } catch (error) {
    if (controller.signal.aborted) return { aborted: true };
    if (error instanceof Problem) return { problem: error.toDetails() };
    throw error;
  } finally {
    task.abort?.close();
  }
}
