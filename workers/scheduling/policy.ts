/**
 * The seam of the scheduler: what a policy sees and what it answers. A policy is pure logic over what waits now; it is
 * given the time, so it can be simulated. Everything that runs batches goes through `choose`.
 */
import type { JobClass } from '../../shared/jobs/job.ts';

/** A waiting row as a policy sees it. */
export interface WaitingRow {
  readonly model: string;
  readonly class: JobClass;
  /** Along the axis that padding stretches: tokens, samples; 1 where rows have one shape. */
  readonly length: number;
  /** Only rows with equal keys share a call. A row whose result would depend on others has a key of its own. */
  readonly shapeKey: string;
  readonly arrivedMs: number;
  /** When its job's time is over; infinite when nobody set one. */
  readonly deadlineMs: number;
  /** Runs alone: a call died with it on board. */
  readonly suspect: boolean;
  /** Its call can end at any time, and takes what the policy says: a call of steps. */
  readonly endsWhenTold?: true;
}

/** What calls cost, as learned so far. */
export interface CostModel {
  /** Expected ms of one call of `rows` rows padded to `length`. */
  predictMs(model: string, rows: number, length: number): number;
  /** Times its prediction that 99 of 100 calls stay below. */
  p99Factor(model: string): number;
  /** Learns from a finished call: what it took and, where that is known, its own work without what others took of the core. */
  observe(model: string, rows: number, length: number, ms: number, ownMs?: number): void;
}

/** A lane of the device, busy or not. */
export interface LaneView {
  /** When its call should end by prediction; null when it is free. */
  readonly endsMs: number | null;
}

export interface PolicyView<R extends WaitingRow> {
  readonly nowMs: number;
  /** In order of arrival. Only rows of models that the free lane has loaded. */
  readonly waiting: readonly R[];
  /** All lanes, that which is free now among them. */
  readonly lanes: readonly LaneView[];
}

export interface Choice<R extends WaitingRow> {
  /** The rows of the next call on a free lane, of one model and shape key; empty when nothing should run now. */
  readonly rows: readonly R[];
  /** When to ask again though nothing arrives and no call ends. */
  readonly wakeMs?: number;
}

/** A call that ended well. */
export interface EndedCall<R extends WaitingRow> {
  readonly rows: readonly R[];
  readonly startedMs: number;
  readonly endedMs: number;
}

export interface SchedulingPolicy {
  choose<R extends WaitingRow>(view: PolicyView<R>): Choice<R>;
  /** How long a call that can end at any time should take, for rows of this class; 100 ms when absent. */
  callMsMax?(jobClass: JobClass, nowMs: number): number;
  /** For policies that learn from what came of their choices. */
  ended?(call: EndedCall<WaitingRow>): void;
  /** A call did not fit into memory. */
  overflowed?(rows: readonly WaitingRow[], nowMs: number): void;
  /** The model left, and no call of it comes any more. */
  forget?(model: string): void;
}
