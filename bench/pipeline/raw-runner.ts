/**
 * The physical limit: one process that prepares items and runs `session.run` on batches of a fixed size, with nothing
 * around. Told to run for some seconds, it says how many items it did, and how fast.
 */
import { join } from 'node:path';
import { loadPipelineFactory } from '../../models/discover-tasks.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { PreparedSource } from '../../models/task.ts';
import { openSession } from '../../workers/lane/onnx-session.ts';

export interface RawOptions {
  readonly files: ModelFiles;
  readonly threads: number;
  readonly sources: readonly PreparedSource[];
}

const { files, threads, sources } = JSON.parse(process.argv[2] ?? '{}') as RawOptions;
const factory = await loadPipelineFactory(files.task);
const preparation = await factory.createPipeline(files, 'prepare');
const pipeline = await factory.createPipeline(files, 'lane');
if (pipeline.generation) throw new Error(`${files.id} writes token by token; this runner makes single calls.`);
const session = await openSession(join(files.versionFolder, pipeline.sessions['model'] as string), {
  device: 'cpu',
  threads,
});

process.on('message', async ({ seconds, batch }: { seconds: number; batch: number }) => {
  const until = performance.now() + seconds * 1000;
  const startedAt = performance.now();
  let items = 0;
  while (performance.now() < until) {
    const rows = [];
    for (let i = 0; i < batch; i++)
      rows.push(...(await preparation.prepare(sources[(items + i) % sources.length] as PreparedSource, {})));
    await session.run(pipeline.collate(rows));
    items += batch;
  }
  process.send?.({ type: 'ran', items, perSecond: (items / (performance.now() - startedAt)) * 1000 });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
process.send?.({ type: 'started' });
