/**
 * Prepares the items of one job, a few at once, and hands their rows over. Waits while rows of the job that have no result
 * yet hold much memory. What a fault means for its item is the runner's to say.
 */
import { unitOf } from '../../models/repository/model-files.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { Problem, toProblem } from '../../shared/problems/problem.ts';
import type { InferenceMetrics } from '../inference-metrics.ts';
import type { PreparesItems } from '../preparation/prepare-input.ts';
import { type QueuedRow, queueRow, type RunningItem, type RunningJob } from './running-job.ts';

/** Items of one job prepared at once: one big job must not fill the threads for all others. */
const itemsAtOnce = 8;
/**
 * Rows of one job that wait for lanes. Without it 256 rankings of 1,000 documents under a long query are 0.5 GB of rows, made
 * of a body of 2 MB; 64 MiB are some 30,000 pairs of 512 tokens, minutes of work.
 */
const rowBytesMax = 64 * 2 ** 20;

export interface ItemPreparationParts {
  readonly preparer: PreparesItems;
  readonly metrics: InferenceMetrics;
  readonly logger: Logger;
  readonly enqueue: (rows: readonly QueuedRow[]) => void;
  readonly onFault: (item: RunningItem, problem: Problem) => void;
}

/** Resolves when every item of `indices` is prepared or has failed. Never rejects. */
export async function prepareItems(
  job: RunningJob,
  indices: readonly number[],
  parts: ItemPreparationParts,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < indices.length && !job.isOver; at = next++) {
      await job.untilRowsHold(rowBytesMax);
      await prepareItem(job, indices[at] as number, parts);
    }
  };
  await Promise.all(Array.from({ length: Math.min(itemsAtOnce, indices.length) }, worker));
}

async function prepareItem(job: RunningJob, index: number, parts: ItemPreparationParts): Promise<void> {
  const { files } = job;
  const item = job.openItem(index);
  const input = job.claim.input[index];
  const startedAt = performance.now();
  try {
    if (!input) throw new Problem('blob-missing', 'The item has no stored input.');
    const rows = await parts.preparer.prepare(input, files, job.request.parameters ?? {}, job);
    const nowMs = performance.now();
    item.prepareSeconds = (nowMs - startedAt) / 1000;
    parts.metrics.prepare.observe({ model: files.id }, item.prepareSeconds);
    job.trace?.prepared(index, startedAt, rows.length);
    job.hold(item, rows);
    parts.enqueue(rows.map((row, i) => queueRow(item, row, i, unitOf(files), nowMs)));
  } catch (error) {
    if (job.isOver) return;
    const problem = toProblem(error);
    job.trace?.prepared(index, startedAt, 0, problem.slug);
    if (problem.slug === 'internal-error')
      parts.logger.error({ err: error, job: job.ref.id, trace: job.traceId }, 'preparation failed');
    parts.onFault(item, problem);
  }
}
