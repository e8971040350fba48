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

export type LaneRequest =
  | { readonly type: 'load'; readonly files: ModelFiles }
  | { readonly type: 'unload'; readonly model: string }
  | { readonly type: 'run'; readonly call: number; readonly model: string; readonly rows: readonly LaneRow[] };

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
    }
  | { readonly type: 'load-failed'; readonly model: string; readonly reason: string }
  | {
      readonly type: 'ran';
      readonly call: number;
      readonly outcomes: readonly LaneOutcome[];
      readonly computeMs: number;
      /** From the engine's outputs to results that can be stored. */
      readonly postprocessMs: number;
    }
  | { readonly type: 'run-failed'; readonly call: number; readonly reason: string; readonly outOfMemory: boolean };

/** What a lane needs to know at birth, as one JSON argument. */
export interface LaneOptions {
  readonly device: string;
  readonly threads: number;
}

/** Niceness of lanes. Without it the worker's loop was 100 to 250 ms late at times. */
export const lanePriority = 5;
