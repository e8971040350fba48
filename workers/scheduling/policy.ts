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
  /** Only rows with equal keys share a call. */
  readonly shapeKey: string;
  readonly arrivedMs: number;
  /** Runs alone: a call died with it on board. */
  readonly suspect: boolean;
}

export interface CostModel {
  /** Expected ms of one call of `rows` rows padded to `length`. */
  predictMs(model: string, rows: number, length: number): number;
  /** Learns from a finished call. */
  observe(model: string, rows: number, length: number, ms: number): void;
}

export interface PolicyView<R extends WaitingRow> {
  readonly nowMs: number;
  /** In order of arrival. Only rows of models that the free lane has loaded. */
  readonly waiting: readonly R[];
  /** Lanes of the device, busy ones too. */
  readonly lanes: number;
}

export interface SchedulingPolicy {
  /** The rows of the next call on a free lane; empty when nothing should run now. Rows are of one model and shape key. */
  choose<R extends WaitingRow>(view: PolicyView<R>): R[];
}
