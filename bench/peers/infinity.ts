/**
 * Infinity. Takes up to eight batches' worth of rows at once, sorts them by length and slices them into batches of 32.
 * The slices are committed: what arrives later, however urgent, stands behind all of them.
 */
import type { SchedulingPolicy, WaitingRow } from '../../workers/scheduling/policy.ts';
import { firstOfClass } from './first-of-class.ts';

export interface InfinitySettings {
  readonly rowsMax: number;
  readonly batchesAtOnce: number;
}

export const infinityDefaults = { rowsMax: 32, batchesAtOnce: 8 } as const;

export function infinity({ rowsMax, batchesAtOnce }: InfinitySettings): SchedulingPolicy {
  let committed: (readonly WaitingRow[])[] = [];
  return {
    choose<R extends WaitingRow>({ waiting }: { waiting: readonly R[] }) {
      if (committed.length === 0) {
        const taken = firstOfClass(waiting)
          .slice(0, rowsMax * batchesAtOnce)
          .sort((a, b) => a.length - b.length);
        for (let at = 0; at < taken.length; at += rowsMax) committed.push(taken.slice(at, at + rowsMax));
      }
      const [next = [], ...rest] = committed;
      committed = rest;
      const here = new Set<WaitingRow>(waiting);
      return { rows: next.filter((row) => here.has(row)) as R[] };
    },
  };
}
