/** Puts the operator's pages together around one Redis connection. Starts nothing that polls; `stop` ends it all. */
import type { Server } from 'node:http';
import { BlobStore } from '../../shared/blobs/blob-store.ts';
import { resolveAdminToken } from '../../shared/config/admin-token.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { JobQueues } from '../../shared/jobs/queues.ts';
import { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { noTracing, type Tracing } from '../../shared/observability/tracing/span.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import { closeApiServer, createApiServer } from '../http/server.ts';
import { Gatekeeper } from './access/gatekeeper.ts';
import { createBoardApp } from './board-app.ts';
import type { BoardParts } from './board-parts.ts';
import { BoardQueues } from './queues/board-queues.ts';
import { type Look, ReadOnlyBoard } from './queues/bull-board.ts';

export interface BoardWish {
  readonly settings: Settings;
  readonly redis: Redis;
  readonly logger: Logger;
  readonly tracing?: Tracing;
}

export interface BuiltBoard {
  readonly server: Server;
  readonly parts: BoardParts;
  stop(): Promise<void>;
}

const timeouts = { headersMs: 10_000, requestMs: 30_000 };

export async function buildBoard({ settings, redis, logger, tracing = noTracing }: BoardWish): Promise<BuiltBoard> {
  const { token, file } = resolveAdminToken(settings);
  const isBehindLauncher = settings.boardPort !== undefined;
  const blobs = new BlobStore(settings.dataDir);
  await blobs.open();
  const store = new JobStore(redis);
  const links = linksOf(settings, isBehindLauncher);
  const board = new ReadOnlyBoard('/admin/queues', [{ text: 'Millrace', url: '/admin' }, ...links], lookInto(store));
  const boardQueues = new BoardQueues(redis, (queues) => board.replaceQueues(queues));
  const queues = new JobQueues(redis);
  const parts: BoardParts = {
    redis,
    store,
    queues,
    blobs,
    gate: new Gatekeeper({ ...settings, token, isBehindLauncher }),
    board,
    boardQueues,
    logger,
    tracing,
    limits: { queueMax: settings.queueMax, tenantMax: settings.tenantMax },
    links,
    jaegerUiUrl: settings.jaegerUiUrl,
    apiUrl: settings.publicUrl,
    tokenFile: file,
  };
  const server = createApiServer(createBoardApp(parts), timeouts);
  return {
    server,
    parts,
    async stop() {
      await closeApiServer(server);
      await boardQueues.close();
      await queues.close();
    },
  };
}

function linksOf({ grafanaUrl, jaegerUiUrl }: Settings, isBehindLauncher: boolean) {
  return [
    // Alone, this process has no others' metrics to show.
    ...(isBehindLauncher ? [{ text: 'Metrics', url: '/metrics' }] : []),
    ...(grafanaUrl ? [{ text: 'Grafana', url: grafanaUrl }] : []),
    ...(jaegerUiUrl ? [{ text: 'Jaeger', url: jaegerUiUrl }] : []),
  ];
}

function lookInto(store: JobStore): Look {
  return async (tenant, id) => {
    const record = await store.readOutline({ tenant, id }).catch(() => undefined);
    if (record === undefined) return undefined;
    if (record === null || record === 'gone') return { id, status: record ?? 'unknown', attempts: 0 };
    return { id, status: record.status, attempts: record.attempts };
  };
}
