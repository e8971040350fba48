/** An item's result as the store takes it. Pure. */
import type { Finish } from '../../shared/jobs/store/words.ts';
import type { RunningItem } from './running-job.ts';

export interface ItemResult {
  readonly status: 'succeeded' | 'failed';
  /** JSON of the output when succeeded, else of the problem. */
  readonly fragment: string;
  readonly deadLetter: boolean;
}

export function finishOf(item: RunningItem, result: ItemResult): Finish {
  return {
    ...item.job.ref,
    ...result,
    kind: 'item',
    index: item.index,
    prepareSeconds: round(item.prepareSeconds),
    computeSeconds: round(item.computeSeconds),
    batchRows: item.batchRows,
  };
}

/** Microseconds are enough, and keep records short. */
function round(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
