/** Entry of the worker of one device (argument 1; 2: its own METRICS_PORT): settings -> Redis -> models -> worker -> drain on SIGTERM. */
import type { BrokenModel } from '../models/repository/model-files.ts';
import { RepositoryWatch } from '../models/repository/watch-repository.ts';
import { BlobStore } from '../shared/blobs/blob-store.ts';
import { boot, bootMetrics, bootTracing } from '../shared/processes/boot.ts';
import { connectConsumer } from '../shared/redis/connection.ts';
import { watchRedis } from '../shared/redis/redis-metrics.ts';
import { InferenceWorker } from './inference-worker.ts';
import { LayoutKeeper } from './layout/layout-keeper.ts';
import { CostFile } from './scheduling/warm-start/cost-file.ts';
import { describeHardware } from './scheduling/warm-start/hardware.ts';
import { addWorkerHealth } from './worker-health.ts';

const device = process.argv[2] ?? 'cpu';
const role = `worker:${device}`;
const booted = boot(role);
const { settings, redisUrl, logger, life } = booted;
const redis = connectConsumer(redisUrl, logger);
life.add('redis', () => redis.disconnect());
const registry = await bootMetrics(role, booted, Number(process.argv[3] ?? settings.metricsPort));
const redisWatch = watchRedis(registry, redis);
life.add('redis watch', () => redisWatch.stop());

const tracing = await bootTracing(role, booted, registry);

const blobs = new BlobStore(settings.dataDir);
await blobs.open();
const watch = new RepositoryWatch({
  directories: settings.modelDirs,
  onChange: (repository) => {
    logBroken(repository.broken);
    return worker.update(repository);
  },
  onFault: (error) => logger.error({ err: error }, 'model folders can not be looked at'),
});
const { models, broken } = await watch.start();
logBroken(broken);

const layouts = await LayoutKeeper.open({
  device,
  settings,
  logger,
  // The supervisor starts another process at once, which takes the layout that was written.
  onBetter: () => void life.stop('another layout of lanes is faster'),
});
const { lanes, threads } = layouts.inForce;
const costs = await CostFile.open(settings.dataDir, describeHardware(device, lanes, threads), logger);

const worker = new InferenceWorker({
  device,
  settings,
  redis,
  blobs,
  models,
  broken,
  look: () => watch.look(),
  registry,
  logger,
  tracing,
  costs,
  layouts,
});
life.add('model watch', () => watch.stop());
life.add('worker', () => worker.stop());
addWorkerHealth(booted.health, redis, worker);
await worker.start();
life.tell({ type: 'ready', role });
logger.info({ device, ...layouts.inForce, models: models.map(({ id }) => id), worker: worker.name }, 'worker started');

function logBroken(models: readonly BrokenModel[]): void {
  for (const { id, reason } of models) logger.error({ model: id, reason }, 'model can not be served');
}
