/**
 * What everybody writes first, as a process: one session on all cores with the engine's own defaults, one text after the
 * other, tokenised and pooled by the same code. The end-to-end figures are ratios to it.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { loadPipelineFactory } from '../../models/discover-tasks.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { BatchTensor } from '../../models/task.ts';
import { type TextMix, textsOf } from './texts.ts';

const files = JSON.parse(process.argv[2] ?? '{}') as ModelFiles;
const factory = await loadPipelineFactory(files.task);
const preparation = await factory.createPipeline(files, 'prepare');
const pipeline = await factory.createPipeline(files, 'lane');
if (pipeline.generation) throw new Error(`${files.id} writes token by token; this bench makes single calls.`);
const graph = pipeline.sessions['model'] as string;
const session = await InferenceSession.create(join(files.versionFolder, graph), {
  executionProviders: ['cpu'],
  intraOpNumThreads: availableParallelism(),
});

const embed = async (text: string): Promise<Float32Array> => {
  const rows = await preparation.prepare({ kind: 'text', text }, {});
  const inputs: Record<string, Tensor> = {};
  const feeds = pipeline.collate(rows);
  for (const name of session.inputNames) {
    const { type, data, dims } = feeds[name] as BatchTensor;
    inputs[name] = new Tensor(type, data as Float32Array & BigInt64Array, dims);
  }
  const outputs = (await session.run(inputs)) as unknown as Record<string, BatchTensor>;
  const [outcome] = pipeline.postprocess(outputs, rows);
  if (!outcome || 'problem' in outcome) throw new Error('The plain loop made no vector.');
  return outcome.part as Float32Array;
};

type Question = { readonly mix: TextMix; readonly ms: number } | { readonly text: string };

process.on('message', async (question: Question) => {
  if ('text' in question) {
    process.send?.({ type: 'embedded', vector: await embed(question.text) });
    return;
  }
  const { mix, ms } = question;
  const text = textsOf(mix);
  const startedAt = performance.now();
  let items = 0;
  while (performance.now() - startedAt < ms) await embed(text(items++));
  process.send?.({ type: 'ran', perSecond: (items / (performance.now() - startedAt)) * 1000 });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
process.send?.({ type: 'started' });
