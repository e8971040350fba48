/** What every peer's rule begins with: the rows of the highest class, in order of arrival, that may share a call with the first. */
import { jobClasses } from '../../shared/jobs/job.ts';
import type { WaitingRow } from '../../workers/scheduling/policy.ts';

export function firstOfClass<R extends WaitingRow>(waiting: readonly R[]): R[] {
  for (const jobClass of jobClasses) {
    const first = waiting.find((row) => row.class === jobClass);
    if (!first) continue;
    if (first.suspect) return [first];
    return waiting.filter(
      (row) => row.class === jobClass && row.model === first.model && row.shapeKey === first.shapeKey && !row.suspect,
    );
  }
  return [];
}

export function longest(rows: readonly WaitingRow[]): number {
  return rows.reduce((length, row) => Math.max(length, row.length), 0);
}
