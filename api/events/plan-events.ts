/**
 * Which events a stream still owes its reader. Pure: a record and the last id seen go in, the frames come out. Ids are
 * the job's own event numbers, so any API process can go on where another was cut off.
 */
import { isOutcome } from '../../shared/jobs/job.ts';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import { recordAt } from '../../shared/jobs/view-job.ts';

export interface PlannedEvent {
  readonly id: number;
  /** A status, `progress`, or `reset` when the reader's place is unknown. */
  readonly name: string;
  /** The job as it stood at the event. */
  readonly record: JobRecord;
}

/** Where a reader stands: nothing seen (no Last-Event-ID), a number, or an id that no event of ours has. */
export type Place = 'start' | 'unknown' | number;

export function placeOf(lastEventId: string | undefined): Place {
  if (lastEventId === undefined || lastEventId === '') return 'start';
  return /^\d{1,9}$/.test(lastEventId) ? Number(lastEventId) : 'unknown';
}

export function planEvents(record: JobRecord, place: Place): PlannedEvent[] {
  const last = lastSeq(record);
  if (place === 'start') return [{ id: last, name: record.status, record }];
  if (place === 'unknown' || place > last) return [{ id: last, name: 'reset', record }];
  return record.events
    .filter((event) => event.seq > place)
    .map((event) => ({ id: event.seq, name: event.name, record: recordAt(record, event) }));
}

/** True when the reader has seen the outcome: an EventSource that comes back then must be told to stop (204). */
export function isOver(record: JobRecord, place: Place): boolean {
  return isOutcome(record.status) && place === lastSeq(record);
}

export function lastSeq(record: JobRecord): number {
  return record.events.at(-1)?.seq ?? 0;
}
