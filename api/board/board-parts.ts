/** What the operator's pages are made of. Built by `build-board.ts`. */
import type { BlobStore } from '../../shared/blobs/blob-store.ts';
import type { JobQueues } from '../../shared/jobs/queues.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import type { Tracing } from '../../shared/observability/tracing/span.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import type { Call } from '../http/call.ts';
import type { Gatekeeper } from './access/gatekeeper.ts';
import type { Session } from './access/sessions.ts';
import type { PageView } from './pages/frame.ts';
import type { BoardQueues } from './queues/board-queues.ts';
import type { ReadOnlyBoard } from './queues/bull-board.ts';

export interface BoardParts {
  readonly redis: Redis;
  readonly store: JobStore;
  readonly queues: JobQueues;
  readonly blobs: BlobStore;
  readonly gate: Gatekeeper;
  readonly board: ReadOnlyBoard;
  readonly boardQueues: BoardQueues;
  readonly logger: Logger;
  readonly tracing: Tracing;
  readonly limits: { readonly queueMax: number; readonly tenantMax: number };
  readonly links: PageView['links'];
  readonly jaegerUiUrl: string | undefined;
  /** Where the API listens for callers. */
  readonly apiUrl: string;
  readonly tokenFile: string | undefined;
}

/** An operator who is in, and what was asked. */
export interface Visit {
  readonly call: Call;
  /** Undefined for the bearer of the token. */
  readonly session: Session | undefined;
  readonly view: PageView;
}
