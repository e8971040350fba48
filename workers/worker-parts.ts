/** What a worker is made of: who starts one hands these over. */
import type { Redis } from 'ioredis';
import type { BrokenModel, ModelFiles } from '../models/repository/model-files.ts';
import type { BlobStore } from '../shared/blobs/blob-store.ts';
import type { Settings } from '../shared/config/settings.ts';
import type { Logger } from '../shared/observability/logger.ts';
import type { Registry } from '../shared/observability/metrics.ts';
import type { Tracing } from '../shared/observability/tracing/span.ts';
import type { LayoutKeeper } from './layout/layout-keeper.ts';
import type { PreparesItems } from './preparation/prepare-input.ts';
import type { CostFile } from './scheduling/warm-start/cost-file.ts';

export interface InferenceWorkerParts {
  readonly device: string;
  readonly settings: Settings;
  /** A consumer connection; the worker makes the further ones that it needs from it. */
  readonly redis: Redis;
  readonly blobs: BlobStore;
  /** What is served first; `update` brings the rest. */
  readonly models: readonly ModelFiles[];
  readonly broken?: readonly BrokenModel[];
  /** Looks into the model folders now. */
  readonly look?: () => Promise<void>;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Nothing is recorded when absent. */
  readonly tracing?: Tracing;
  /** What calls cost, kept over restarts; learned anew when absent. */
  readonly costs?: CostFile;
  /** How the cores are dealt out, and what finds that out; by settings alone when absent. */
  readonly layouts?: LayoutKeeper;
  /** A fake engine, for tests: module of the lane process, what makes its rows, and when a load that failed is tried again. */
  readonly engine?: { readonly laneEntry: string; readonly preparer: PreparesItems; readonly retryMs?: number };
}
