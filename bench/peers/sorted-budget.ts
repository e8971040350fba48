/**
 * Sorts a window of waiting rows by length and cuts it into calls of at most `unitsMax` padded units; the call that holds
 * the oldest row goes. With the budget swept for device and lengths, the best static rule: what tuning by hand can reach.
 */
import type { SchedulingPolicy, WaitingRow } from '../../workers/scheduling/policy.ts';
import { firstOfClass } from './first-of-class.ts';

const windowRows = 256;

export function sortedBudget(unitsMax: number): SchedulingPolicy {
  return {
    choose<R extends WaitingRow>({ waiting }: { waiting: readonly R[] }) {
      const window = firstOfClass(waiting).slice(0, windowRows);
      const [oldest] = window;
      let call: R[] = [];
      for (const row of window.toSorted((a, b) => a.length - b.length)) {
        if (call.length > 0 && row.length * (call.length + 1) > unitsMax) {
          if (oldest && call.includes(oldest)) break;
          call = [];
        }
        call.push(row);
      }
      return { rows: call };
    },
  };
}
