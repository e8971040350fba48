/**
 * What a worker and its lanes say to each other over IPC (structured clone, so typed arrays travel as they are). One call
 * is in flight per lane; a lane never speaks unasked except `hello`.
 */

import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { Row } from '../../models/task.ts';
import type { ProblemDetails } from '../../shared/problems/problem.ts';

/** A row as a lane gets it. `alone`: the item has no other row, so the lane merges and serialises its output itself. */
export interface LaneRow {
  readonly row: Row;
  readonly alone: boolean;
}

/** A row that is to be written token by token, under a number that the worker gave it. */
export interface LaneSequence extends LaneRow {
  readonly id: number;
  /** Of its class; the smallest is written first where not all can be. */
  readonly rank: number;
}

/** Rows come and go between calls; those that are held are written on for about `budgetMs`. */
export interface StepOrder {
  readonly admit: readonly LaneSequence[];
  readonly evict: readonly number[];
  readonly budgetMs: number;
}

/** What a lane tells of a model that writes token by token. */
export interface Writes {
  /** Rows of one batch at most. */
  readonly slots: number;
  /** Rows begin together: others wait until those are done. */
  readonly isLockstep: boolean;
}

export type LaneRequest =
  | { readonly type: 'load'; readonly files: ModelFiles }
  | { readonly type: 'unload'; readonly model: string }
  | { readonly type: 'run'; readonly call: number; readonly model: string; readonly rows: readonly LaneRow[] }
  | ({ readonly type: 'step'; readonly call: number; readonly model: string } & StepOrder);

/** `json` is the item's finished output as it will be stored; `part` is one of several rows' results. */
export type LaneOutcome = { readonly json: string } | { readonly part: unknown } | { readonly problem: ProblemDetails };

export type LaneReply =
  | { readonly type: 'hello' }
  | {
      readonly type: 'loaded';
      readonly model: string;
      readonly loadMs: number;
      readonly canaryMs: number;
      /** What load and canary added to the lane's memory. */
      readonly memoryBytes: number;
      /** Null for a model that takes calls of whole batches. */
      readonly writes: Writes | null;
    }
  | { readonly type: 'load-failed'; readonly model: string; readonly reason: string }
  | {
      readonly type: 'ran';
      readonly call: number;
      readonly outcomes: readonly LaneOutcome[];
      readonly computeMs: number;
      /** From the engine's outputs to results that can be stored. */
      readonly postprocessMs: number;
      /** CPU of the whole call, where that says what it costs whoever else has the core: of one thread on a CPU. */
      readonly cpuMs?: number;
    }
  | ({ readonly type: 'stepped'; readonly call: number } & StepWork)
  | { readonly type: 'run-failed'; readonly call: number; readonly reason: string; readonly outOfMemory: boolean };

/** What a call of steps did. */
export interface StepWork {
  readonly finished: readonly { readonly id: number; readonly outcome: LaneOutcome }[];
  /** Rows that the lane still has. */
  readonly held: readonly number[];
  /** Steps of the decoder, the lines of all of them together, and the tokens that were written. */
  readonly steps: number;
  readonly lines: number;
  readonly tokens: number;
  /** All of the call, and the part of it that the decoder's steps took. */
  readonly computeMs: number;
  readonly stepMs: number;
}

/** What a lane needs to know at birth, as one JSON argument. */
export interface LaneOptions {
  readonly device: string;
  readonly threads: number;
}

/** Niceness of lanes. Without it the worker's loop was 100 to 250 ms late at times. */
export const lanePriority = 5;
