/** Puts the parts of the API together around two Redis connections. Starts what polls; `stop` ends it all. */
import type { Server } from 'node:http';
import type { Redis } from 'ioredis';
import { loadRecords, type TaskContracts } from '../models/discover-tasks.ts';
import type { ModelRepository } from '../models/repository/model-files.ts';
import { BlobStore } from '../shared/blobs/blob-store.ts';
import type { Settings } from '../shared/config/settings.ts';
import { JobQueues } from '../shared/jobs/queues.ts';
import { JobStore } from '../shared/jobs/store/job-store.ts';
import { AllowedHosts } from '../shared/net/url-policy.ts';
import type { Logger } from '../shared/observability/logger.ts';
import type { Registry } from '../shared/observability/metrics.ts';
import { noTracing, type Tracing } from '../shared/observability/tracing/span.ts';
import { Health } from '../shared/processes/health.ts';
import { exposeRedisServer, watchRedis } from '../shared/redis/redis-metrics.ts';
import { createApiMetrics } from './api-metrics.ts';
import { createApp } from './app.ts';
import type { ApiDependencies } from './dependencies.ts';
import { Duties } from './duties/duties.ts';
import { JobStreams, type StreamLimits } from './events/job-streams.ts';
import { StreamTokens } from './events/stream-tokens.ts';
import { Authenticator } from './http/authenticate.ts';
import { bodyBytesPerSecondMin, bodySecondsMin } from './http/body-deadline.ts';
import { closeApiServer, createApiServer, type ServerTimeouts } from './http/server.ts';
import { AdmissionGate } from './jobs/admission.ts';
import { JobViews } from './jobs/job-views.ts';
import { JobWatcher } from './jobs/job-watcher.ts';
import { ModelAvailability } from './jobs/model-availability.ts';
import { ModelCatalog } from './jobs/model-catalog.ts';
import { JobSubmitter } from './jobs/submit-job.ts';
import { PredictionLogClient } from './predictions/log-client.ts';
import { addApiHealth } from './routes/health.ts';
import { exposeStore } from './store-metrics.ts';

export interface ApiParts {
  readonly settings: Settings;
  /** For commands: refuses at once while Redis is away. */
  readonly redis: Redis;
  /** For the reply channel: waits until Redis is back. */
  readonly subscriber: Redis;
  readonly repository: ModelRepository;
  readonly contracts: TaskContracts;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Unique among API processes. */
  readonly apiId: string;
  /** The process's own, to which the checks of the API are added. */
  readonly health?: Health;
  /** Nothing is recorded when absent. */
  readonly tracing?: Tracing;
  readonly streamLimits?: StreamLimits;
  readonly timeouts?: ServerTimeouts;
}

export interface BuiltApi {
  readonly server: Server;
  readonly dependencies: ApiDependencies;
  readonly duties: Duties;
  /** Waiting callers are answered, streams end; then everything is quiet. */
  stop(): Promise<void>;
}

export async function buildApi(parts: ApiParts): Promise<BuiltApi> {
  const { settings, redis, logger, tracing = noTracing } = parts;
  const stopping = new AbortController();
  const blobs = new BlobStore(settings.dataDir);
  await blobs.open();
  const store = new JobStore(redis, (name) => blobs.readText(name), settings.recording);
  const queues = new JobQueues(redis);
  const allowed = new AllowedHosts(settings.allowHosts);
  const catalog = new ModelCatalog(parts.repository, parts.contracts);
  const authenticator = new Authenticator(settings.apiKeys, new URL(settings.publicUrl).hostname);
  const tokens = await StreamTokens.open(redis);
  const publicUrl = chosenPublicUrl(settings);
  const availability = new ModelAvailability(redis);
  const views = new JobViews(publicUrl, authenticator.isRequired ? tokens : undefined, availability);
  const watcher = new JobWatcher(parts.subscriber, parts.apiId);
  const gate = new AdmissionGate({
    redis,
    queues,
    models: () => catalog.models.map(({ files }) => files.id),
    queueMax: settings.queueMax,
    ageMaxSeconds: settings.queueAgeMaxSeconds,
  });
  const streams = new JobStreams({ store, watcher, views, stopping: stopping.signal }, parts.streamLimits);
  const metrics = createApiMetrics(parts.registry, { gate, openStreams: () => streams.open });
  exposeStore(parts.registry, redis, () => catalog.models.map(({ files }) => files.id));
  exposeRedisServer(parts.registry, redis);
  const redisWatch = watchRedis(parts.registry, redis);
  const submitter = new JobSubmitter({ store, blobs, allowed, limits: settings });
  const duties = new Duties({ redis, store, queues, blobs, logger, holder: parts.apiId, settings, metrics, tracing });
  const health = parts.health ?? new Health();
  addApiHealth(health, { redis, gate, catalog });
  const dependencies: ApiDependencies = {
    redis,
    store,
    queues,
    blobs,
    catalog,
    submitter,
    submission: { blobs, allowed, catalog, bodyBytesMax: settings.bodyMaxBytes },
    watcher,
    streams,
    tokens,
    views,
    gate,
    availability,
    authenticator,
    metrics,
    health,
    predictions: new PredictionLogClient(redis, settings.recording !== undefined),
    records: await loadRecords(),
    logger,
    tracing,
    publicUrl,
    stopping: stopping.signal,
  };
  await watcher.start();
  await gate.start();
  await availability.start();
  duties.start();
  const server = createApiServer(createApp(dependencies), parts.timeouts ?? defaultTimeouts(settings));
  return {
    server,
    dependencies,
    duties,
    async stop() {
      stopping.abort();
      watcher.wakeAll();
      await closeApiServer(server);
      await duties.stop();
      gate.stop();
      availability.stop();
      redisWatch.stop();
      watcher.stop();
      await queues.close();
    },
  };
}

/** Settings fill in HOST and PORT when the operator chose nothing: then each caller's own Host header is better. */
function chosenPublicUrl({ publicUrl, host, port }: Settings): string | undefined {
  return publicUrl === `http://${host}:${port}` ? undefined : publicUrl;
}

function defaultTimeouts(settings: Settings): ServerTimeouts {
  const slowestBodySeconds = bodySecondsMin + settings.bodyMaxBytes / bodyBytesPerSecondMin;
  return { headersMs: 10_000, requestMs: (slowestBodySeconds + 5) * 1000 };
}
