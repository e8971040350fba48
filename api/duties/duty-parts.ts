/** What a duty works with. */
import type { BlobStore } from '../../shared/blobs/blob-store.ts';
import type { JobQueues } from '../../shared/jobs/queues.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import type { Tracing } from '../../shared/observability/tracing/span.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import type { ApiMetrics } from '../api-metrics.ts';

export interface DutyParts {
  readonly redis: Redis;
  readonly store: JobStore;
  readonly queues: JobQueues;
  readonly blobs: BlobStore;
  readonly logger: Logger;
  readonly tracing: Tracing;
  /** This process, to the lease. */
  readonly holder: string;
  readonly settings: { readonly retentionSeconds: number };
  readonly metrics: Pick<ApiMetrics, 'duties' | 'dutyRuns' | 'ended'>;
}
