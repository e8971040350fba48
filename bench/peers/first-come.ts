/**
 * Up to `rowsMax` rows in order of arrival. With `waitMs` the call waits for company until it is full or its oldest row is
 * that old: TorchServe's `maxBatchDelay`, Ray Serve's `batch_wait_timeout_s` (10 rows, 10 ms by default).
 */
import type { SchedulingPolicy } from '../../workers/scheduling/policy.ts';
import { firstOfClass } from './first-of-class.ts';

export function firstCome(rowsMax: number, waitMs = 0): SchedulingPolicy {
  return {
    choose({ nowMs, waiting }) {
      const rows = firstOfClass(waiting).slice(0, rowsMax);
      const [oldest] = rows;
      if (!oldest || rows.length === rowsMax) return { rows };
      const dueMs = oldest.arrivedMs + waitMs;
      return dueMs > nowMs ? { rows: [], wakeMs: dueMs } : { rows };
    },
  };
}
