/**
 * Text Embeddings Inference. In order of arrival, as long as the longest row times the number of rows stays within the
 * budget of padded tokens (16,384 by default; 512 is the best for this CPU). While a batch runs, the next one is already
 * put together: work that is committed early, and can not see what comes after it.
 */
import type { SchedulingPolicy, WaitingRow } from '../../workers/scheduling/policy.ts';
import { firstOfClass } from './first-of-class.ts';

export const teiBudget = { default: 16_384, tuned: 512 } as const;

export function tei(tokensMax: number): SchedulingPolicy {
  let prepared: readonly WaitingRow[] = [];
  return {
    choose<R extends WaitingRow>({ waiting }: { waiting: readonly R[] }) {
      const here = new Set<WaitingRow>(waiting);
      const kept = prepared.filter((row) => here.has(row)) as R[];
      const rows = kept.length > 0 ? kept : nextBatch(waiting, tokensMax);
      const taken = new Set(rows);
      prepared = nextBatch(
        waiting.filter((row) => !taken.has(row)),
        tokensMax,
      );
      return { rows };
    },
  };
}

function nextBatch<R extends WaitingRow>(waiting: readonly R[], tokensMax: number): R[] {
  const batch: R[] = [];
  let longest = 0;
  for (const row of firstOfClass(waiting)) {
    longest = Math.max(longest, row.length);
    if (batch.length > 0 && longest * (batch.length + 1) > tokensMax) break;
    batch.push(row);
  }
  return batch;
}
