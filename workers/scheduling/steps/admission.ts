/**
 * Which waiting rows of a model begin to be written on a lane now, and which leave their place to them. Pure.
 *
 * With slots a row begins as soon as one is free. In lockstep rows begin together, when no other of their class or above
 * is being written; a lower cohort waits where it is. A high row that finds no place takes that of the bulk row that
 * came last, which is written again from its start: feeding its tokens anew would take as many steps.
 */
import { type JobClass, jobClasses } from '../../../shared/jobs/job.ts';
import type { Writes } from '../../lane/lane-protocol.ts';

interface Candidate {
  readonly class: JobClass;
  readonly arrivedMs: number;
  /** A call died with it on board: it is written alone. */
  readonly suspect: boolean;
  /** Company would change its result: it is written alone too. */
  readonly alone: boolean;
}

export interface AdmissionView<R extends Candidate> {
  readonly writes: Writes;
  /** Rows that are written on this lane, in the order in which they began. */
  readonly live: readonly R[];
  /** Rows of the model that wait. */
  readonly waiting: readonly R[];
  /** Rows that are written on the other lanes that have the model, and how many lanes have it, this one included. */
  readonly liveElsewhere: number;
  readonly lanes: number;
}

export interface Admissions<R> {
  readonly admit: readonly R[];
  readonly evict: readonly R[];
}

const none = { admit: [], evict: [] };

export function planAdmission<R extends Candidate>(view: AdmissionView<R>): Admissions<R> {
  const { live, waiting, writes } = view;
  if (waiting.length === 0 || live.some(isAlone)) return none;
  const order = [...waiting].sort((a, b) => rankOf(a) - rankOf(b) || a.arrivedMs - b.arrivedMs);
  const head = order[0] as R;
  // Until those that are being written are done nobody else begins.
  if (isAlone(head)) return live.length === 0 ? { admit: [head], evict: [] } : none;
  const others = order.filter((row) => !isAlone(row));
  return writes.isLockstep ? planCohort(view, head, others) : planSlots(view, head, others);
}

function isAlone({ suspect, alone }: Candidate): boolean {
  return suspect || alone;
}

function planSlots<R extends Candidate>(view: AdmissionView<R>, head: R, order: readonly R[]): Admissions<R> {
  const { live, waiting, writes, liveElsewhere, lanes } = view;
  const free = writes.slots - live.length;
  if (free <= 0) return displace(live, order, head);
  // Every lane is left its share: on two cores two lanes of eight rows write more than one of sixteen.
  const share = Math.ceil((live.length + liveElsewhere + waiting.length) / lanes) - live.length;
  return { admit: order.slice(0, Math.max(0, Math.min(free, share))), evict: [] };
}

/** Two cohorts at most are held, the upper one running. */
function planCohort<R extends Candidate>(view: AdmissionView<R>, head: R, order: readonly R[]): Admissions<R> {
  const { live, writes, liveElsewhere, lanes } = view;
  if (live.some((row) => rankOf(row) <= rankOf(head))) return none;
  const cohort = order.filter((row) => row.class === head.class);
  const free = 2 * writes.slots - live.length;
  if (free <= 0) return displace(live, cohort, head);
  const share = live.length > 0 ? cohort.length : Math.ceil((liveElsewhere + cohort.length) / lanes);
  return { admit: cohort.slice(0, Math.max(1, Math.min(free, writes.slots, share))), evict: [] };
}

function displace<R extends Candidate>(live: readonly R[], order: readonly R[], head: R): Admissions<R> {
  if (head.class !== 'high') return none;
  const victims = live.filter((row) => row.class === 'bulk').reverse();
  const admit = order.filter((row) => row.class === 'high').slice(0, victims.length);
  return { admit, evict: victims.slice(0, admit.length) };
}

export function rankOf(row: { readonly class: JobClass }): number {
  return jobClasses.indexOf(row.class);
}
