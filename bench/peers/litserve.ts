/**
 * LitServe. The loop takes rows until it has `rowsMax` or its window is over. The window begins when the loop does, and not
 * with the oldest row, so a lone row on an idle server goes at once when it comes late in a window, and waits the whole of
 * it when it comes early. The default window is 0: whatever is there.
 */
import type { SchedulingPolicy } from '../../workers/scheduling/policy.ts';
import { firstOfClass } from './first-of-class.ts';

export function litserve(rowsMax: number, windowMs = 0): SchedulingPolicy {
  let beganMs: number | null = null;
  return {
    choose({ nowMs, waiting }) {
      const rows = firstOfClass(waiting).slice(0, rowsMax);
      if (rows.length === 0) return { rows };
      // An idle loop begins again and again; the window in which the first row falls is as good as new.
      beganMs ??= nowMs;
      const endsMs = beganMs + windowMs;
      if (rows.length < rowsMax && nowMs < endsMs) return { rows: [], wakeMs: endsMs };
      beganMs = null;
      return { rows };
    },
  };
}
