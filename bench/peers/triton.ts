/**
 * Triton's dynamic batcher. A free instance takes what is pending, up to `rowsMax`. When `preferred` sizes are given, the
 * largest that can be filled goes at once; fewer rows wait until the oldest is `delayMs` old (0 by default, so nothing
 * waits). A row of another shape closes the batch, which only matters where shapes differ: lengths are padded here.
 */
import type { SchedulingPolicy } from '../../workers/scheduling/policy.ts';
import { firstOfClass } from './first-of-class.ts';

export interface TritonSettings {
  readonly rowsMax: number;
  readonly preferred?: readonly number[];
  readonly delayMs?: number;
}

export function triton({ rowsMax, preferred = [], delayMs = 0 }: TritonSettings): SchedulingPolicy {
  const sizes = preferred.toSorted((a, b) => b - a);
  return {
    choose({ nowMs, waiting }) {
      const pending = firstOfClass(waiting).slice(0, rowsMax);
      const [oldest] = pending;
      if (!oldest || pending.length === rowsMax) return { rows: pending };
      const size = sizes.find((wanted) => wanted <= pending.length);
      if (size !== undefined) return { rows: pending.slice(0, size) };
      const dueMs = oldest.arrivedMs + delayMs;
      return dueMs > nowMs ? { rows: [], wakeMs: dueMs } : { rows: pending };
    },
  };
}
