/** What the app is made of. Built by `main.ts`, or by a test with parts of its own. */
import type { Redis } from 'ioredis';
import type { TaskRecord } from '../models/task.ts';
import type { BlobStore } from '../shared/blobs/blob-store.ts';
import type { JobQueues } from '../shared/jobs/queues.ts';
import type { JobStore } from '../shared/jobs/store/job-store.ts';
import type { Logger } from '../shared/observability/logger.ts';
import type { Tracing } from '../shared/observability/tracing/span.ts';
import type { Health } from '../shared/processes/health.ts';
import type { ApiMetrics } from './api-metrics.ts';
import type { JobStreams } from './events/job-streams.ts';
import type { StreamTokens } from './events/stream-tokens.ts';
import type { Authenticator } from './http/authenticate.ts';
import type { AdmissionGate } from './jobs/admission.ts';
import type { JobViews } from './jobs/job-views.ts';
import type { JobWatcher } from './jobs/job-watcher.ts';
import type { ModelAvailability } from './jobs/model-availability.ts';
import type { ModelCatalog } from './jobs/model-catalog.ts';
import type { SubmissionParts } from './jobs/read-submission.ts';
import type { JobSubmitter } from './jobs/submit-job.ts';
import type { PredictionLogClient } from './predictions/log-client.ts';

export interface ApiDependencies {
  readonly redis: Redis;
  readonly store: JobStore;
  readonly queues: JobQueues;
  readonly blobs: BlobStore;
  readonly catalog: ModelCatalog;
  readonly submitter: JobSubmitter;
  readonly submission: SubmissionParts;
  readonly watcher: JobWatcher;
  readonly streams: JobStreams;
  readonly tokens: StreamTokens;
  readonly views: JobViews;
  readonly gate: AdmissionGate;
  readonly availability: ModelAvailability;
  readonly authenticator: Authenticator;
  readonly metrics: ApiMetrics;
  /** The same as on the metrics port of this process. */
  readonly health: Health;
  readonly predictions: PredictionLogClient;
  /** How each task's outputs are corrected. */
  readonly records: ReadonlyMap<string, TaskRecord>;
  readonly logger: Logger;
  readonly tracing: Tracing;
  /** Set by the operator; else URLs follow each request's Host header. */
  readonly publicUrl: string | undefined;
  /** Aborts when the process begins to stop: whoever waits is answered then. */
  readonly stopping: AbortSignal;
}
