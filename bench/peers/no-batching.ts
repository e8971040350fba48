/** One row a call: what most users begin with, and on a CPU the peer that is hardest to beat. */
import type { SchedulingPolicy } from '../../workers/scheduling/policy.ts';
import { firstOfClass } from './first-of-class.ts';

export function noBatching(): SchedulingPolicy {
  return { choose: ({ waiting }) => ({ rows: firstOfClass(waiting).slice(0, 1) }) };
}
