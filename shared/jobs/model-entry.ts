/** What a worker says of a model (Redis, one JSON per model and worker), and what operators are told of it. */

export type LoadState = 'loading' | 'ready' | 'failed' | 'quarantined';

/** One version as one worker has it. */
export interface VersionEntry {
  readonly version: string;
  readonly state: LoadState;
  readonly error: string | null;
  readonly ready_since: string | null;
  /** What its load added to the memory of one lane. */
  readonly memory_bytes: number;
  /** False for one that leaves as soon as its successor is ready. */
  readonly current: boolean;
}

export interface ModelEntry {
  /** `unloading`: no new claims; jobs that were claimed run to their end. */
  readonly state: LoadState | 'unloading';
  /** The version that a job without a wish gets now; while none is ready, the one that is loading. */
  readonly version: string;
  /** Also beside `ready`: what keeps a newer version, or one of several, from serving. */
  readonly error: string | null;
  readonly versions: readonly VersionEntry[];
  readonly device: string;
  /** Each holds the model. */
  readonly lanes: number;
  /** Of each lane. */
  readonly threads: number;
  readonly at: string;
}

export type ModelStatus = ModelEntry['state'] | 'unloaded' | 'no-worker' | 'broken';

/** `GET /admin/api/models`. */
export interface LoadedModel {
  readonly id: string;
  readonly status: ModelStatus;
  readonly error: string | null;
  /** When an operator unloaded it. */
  readonly unloaded_at: string | null;
  readonly unfinished_jobs: number;
  readonly workers: readonly (ModelEntry & { readonly worker: string })[];
}
