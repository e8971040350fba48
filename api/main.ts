/** Entry of one API process: settings, Redis, models, app, listen; then stops in reverse order when told to. */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { loadContracts } from '../models/discover-tasks.ts';
import type { BrokenModel } from '../models/repository/model-files.ts';
import { RepositoryWatch } from '../models/repository/watch-repository.ts';
import { boot, bootMetrics, bootTracing } from '../shared/processes/boot.ts';
import { exitConfig } from '../shared/processes/process-life.ts';
import { connectConsumer, connectProducer, findRedisFaults, untilReady } from '../shared/redis/connection.ts';
import { buildApi } from './build-api.ts';

/** A frozen Redis is answered with 503 about that soon; an fsync of 0.9 s still passes. */
const redisCommandMs = 1500;
/** Redis may still be reading its log; the launcher waits for it before it starts us. */
const redisReadyMs = 60_000;

const booted = boot('api');
const { settings, logger, life, redisUrl } = booted;

const redis = connectProducer(redisUrl, logger, redisCommandMs);
life.add('redis', () => redis.disconnect());
const subscriber = connectConsumer(redisUrl, logger);
life.add('subscriber', () => subscriber.disconnect());
await untilReady(redis, redisReadyMs);

const faults = await findRedisFaults(redis);
if (faults.length > 0 && !settings.unsafeRedis) {
  const list = faults.map((fault) => `\n- ${fault}`).join('');
  process.stderr.write(
    `Redis at ${new URL(redisUrl).host} can lose jobs that were acknowledged:${list}\nMILLRACE_UNSAFE_REDIS=1 starts all the same.\n`,
  );
  await life.stop('unsafe redis', exitConfig);
}
for (const fault of faults) logger.warn({ fault }, 'redis can lose acknowledged jobs');

const registry = await bootMetrics('api', booted);
const tracing = await bootTracing('api', booted, registry);
const contracts = await loadContracts();
const watch = new RepositoryWatch({
  directories: settings.modelDirs,
  contracts,
  onChange: (changed) => {
    logBroken(changed.broken);
    api.dependencies.catalog.update(changed);
  },
  onFault: (error) => logger.error({ err: error }, 'model folders can not be looked at'),
});
const repository = await watch.start();
logBroken(repository.broken);

const api = await buildApi({
  settings,
  redis,
  subscriber,
  repository,
  contracts,
  registry,
  logger,
  tracing,
  apiId: randomUUID(),
  health: booted.health,
});
life.add('api', () => api.stop());
life.add('model watch', () => watch.stop());

api.server.once('error', (error: NodeJS.ErrnoException) => {
  process.stderr.write(`The API can not listen on ${settings.host}:${settings.port}: ${error.message}\n`);
  void life.stop('can not listen', error.code === 'EADDRINUSE' || error.code === 'EACCES' ? exitConfig : 1);
});
api.server.listen(settings.port, settings.host, () => {
  const { address, port, family } = api.server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  life.tell({ type: 'ready', role: 'api', urls: { api: url } });
  logger.info({ url, models: repository.models.length }, 'api listens');
});

function logBroken(models: readonly BrokenModel[]): void {
  for (const { id, reason } of models) logger.warn({ model: id, reason }, 'model can not be served');
}
