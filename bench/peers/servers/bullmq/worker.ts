/** Its worker: one process per core, one job at a time, one text a call. */
import { join } from 'node:path';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { loadPipelineFactory } from '../../../../models/discover-tasks.ts';
import type { ModelFiles } from '../../../../models/repository/model-files.ts';
import { openSession } from '../../../../workers/lane/onnx-session.ts';

const files = JSON.parse(process.env['BENCH_FILES'] ?? '{}') as ModelFiles;
const factory = await loadPipelineFactory(files.task);
const preparation = await factory.createPipeline(files, 'prepare');
const pipeline = await factory.createPipeline(files, 'lane');
if (pipeline.generation) throw new Error(`${files.id} writes token by token; this bench makes single calls.`);
const graph = pipeline.sessions['model'] as string;
const session = await openSession(join(files.versionFolder, graph), { device: 'cpu', threads: 1 });

const embed = async (text: string): Promise<number[]> => {
  const rows = await preparation.prepare({ kind: 'text', text }, {});
  const [outcome] = pipeline.postprocess(await session.run(pipeline.collate(rows)), rows);
  if (!outcome || 'problem' in outcome) throw new Error('A text could not be embedded.');
  return Array.from(outcome.part as Iterable<number>);
};

const connection = new Redis(process.env['BENCH_REDIS'] ?? '', { maxRetriesPerRequest: null });
new Worker<{ texts: string[] }>(
  'embed',
  async ({ data }) => {
    const vectors: number[][] = [];
    for (const text of data.texts) vectors.push(await embed(text));
    return vectors;
  },
  { connection, concurrency: 1 },
);
