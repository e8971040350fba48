/** The whole worker with a lane that does nothing: claims, start, scheduler, lane round trip, finish. */

import { join } from 'node:path';
import { mergeItem } from '../../models/preparation/merge-item.ts';
import { BlobStore } from '../../shared/blobs/blob-store.ts';
import { createRegistry } from '../../shared/observability/metrics.ts';
import { boot } from '../../shared/processes/boot.ts';
import { connectConsumer } from '../../shared/redis/connection.ts';
import { InferenceWorker } from '../../workers/inference-worker.ts';
import { noopModel } from './noop-model.ts';

const { settings, redisUrl, logger, life } = boot('bench-worker');
const redis = connectConsumer(redisUrl, logger);
const worker = new InferenceWorker({
  device: 'cpu',
  settings,
  redis,
  blobs: new BlobStore(settings.dataDir),
  models: [noopModel],
  registry: createRegistry('worker', 'bench'),
  logger,
  engine: {
    laneEntry: join(import.meta.dirname, 'noop-lane.ts'),
    preparer: {
      prepare: async () => [{ tensors: {}, length: 1, shapeKey: 'x', context: null }],
      warm: async () => {},
      merge: mergeItem,
      close: async () => {},
    },
  },
});
life.add('redis', () => redis.disconnect());
life.add('worker', () => worker.stop());
await worker.start();
process.send?.({ type: 'started' });
