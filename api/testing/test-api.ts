/**
 * A whole API for tests: real redis-server, real sockets, models that need no weights, and a worker made of the store's
 * own start and finish. Nothing is mocked but inference.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { loadContracts } from '../../models/discover-tasks.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import { modelFiles } from '../../models/testing/model-files.ts';
import { readSettings } from '../../shared/config/settings.ts';
import { createRegistry, type Registry } from '../../shared/observability/metrics.ts';
import type { Tracing } from '../../shared/observability/tracing/span.ts';
import { connectConsumer, connectProducer, untilReady } from '../../shared/redis/connection.ts';
import { type BuiltApi, buildApi } from '../build-api.ts';
import type { StreamLimits } from '../events/job-streams.ts';
import type { ServerTimeouts } from '../http/server.ts';

export interface TestApi extends BuiltApi {
  readonly url: string;
  readonly port: number;
  readonly redis: Redis;
  readonly dataDir: string;
  readonly registry: Registry;
  readonly logs: string[];
  /** Ends it and removes its folder; Redis is the caller's. */
  close(): Promise<void>;
}

export interface TestApiOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly models?: readonly ModelFiles[];
  readonly streamLimits?: StreamLimits;
  readonly timeouts?: ServerTimeouts;
  /** 1.5 s in production; a command of a test may take longer on a busy machine. */
  readonly commandTimeoutMs?: number;
  readonly duties?: boolean;
  readonly tracing?: Tracing;
}

export function testModel(id: string, task: string, extra: Partial<ModelFiles> = {}): ModelFiles {
  return modelFiles({ id, task, isDefault: true, description: 'A model of the tests.', ...extra });
}

/** One model per task, `default` each, and a second for text. */
const testModels: readonly ModelFiles[] = [
  testModel('ner', 'token-classification'),
  testModel('ner-large', 'token-classification', { isDefault: false }),
  testModel('asr', 'automatic-speech-recognition', { limits: { audioSecondsMax: 60 } }),
  testModel('photos', 'image-classification'),
];

export async function startTestApi(redisUrl: string, options: TestApiOptions = {}): Promise<TestApi> {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-api-'));
  const logs: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line) => void logs.push(line) });
  const settings = readSettings({ MILLRACE_DATA: dataDir, PORT: '0', MILLRACE_PREDICTIONS: 'off', ...options.env });
  const redis = connectProducer(redisUrl, logger, options.commandTimeoutMs ?? 15_000);
  const subscriber = connectConsumer(redisUrl, logger);
  await untilReady(redis, 30_000);
  const registry = createRegistry('api', 'test');
  const api = await buildApi({
    settings,
    redis,
    subscriber,
    repository: {
      models: options.models ?? testModels,
      broken: [{ id: 'cracked', folder: '/x', reason: 'no graph', fix: null }],
    },
    contracts: await loadContracts(),
    registry,
    logger,
    apiId: `test-${process.pid}-${Math.random().toString(36).slice(2)}`,
    ...(options.streamLimits && { streamLimits: options.streamLimits }),
    ...(options.tracing && { tracing: options.tracing }),
    ...(options.timeouts && { timeouts: options.timeouts }),
  });
  if (!options.duties) await api.duties.stop();
  await new Promise<void>((resolve) => api.server.listen(0, '127.0.0.1', resolve));
  const { port } = api.server.address() as AddressInfo;
  return {
    ...api,
    url: `http://127.0.0.1:${port}`,
    port,
    redis,
    dataDir,
    registry,
    logs,
    async close() {
      api.server.closeAllConnections();
      await api.stop();
      redis.disconnect();
      subscriber.disconnect();
      registry.clear();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
