/** Sessions in this process, for tests: the `Engine` of generation, and single calls. A lane has its own. */
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Engine, GraphPort, Tensors } from '../generation/engine.ts';
import type { BatchTensor } from '../task.ts';

export async function openEngine(
  versionFolder: string,
  sessions: Readonly<Record<string, string>>,
): Promise<Engine & { release(): Promise<void> }> {
  const open = new Map<string, InferenceSession>();
  for (const [name, path] of Object.entries(sessions))
    open.set(
      name,
      await InferenceSession.create(join(versionFolder, path), {
        intraOpNumThreads: 1,
        extra: { session: { intra_op: { allow_spinning: '0' } } },
        logSeverityLevel: 3,
      }),
    );
  const session = (name: string) => open.get(name) as InferenceSession;
  return {
    inputs: (name) => session(name).inputMetadata.map(toPort),
    outputs: (name) => session(name).outputMetadata.map(toPort),
    async run(name, feeds, wanted) {
      const inputs = session(name).inputNames.map((input) => [input, toTensor(feeds, input)] as const);
      const given = Object.fromEntries(inputs);
      const outputs = await (wanted ? session(name).run(given, wanted) : session(name).run(given));
      return Object.fromEntries(Object.entries(outputs).map(([output, tensor]) => [output, tensor as BatchTensor]));
    },
    async release() {
      for (const each of open.values()) await each.release();
    },
  };
}

function toPort(metadata: InferenceSession.ValueMetadata): GraphPort {
  if (!metadata.isTensor) return { name: metadata.name, type: 'sequence', dims: [] };
  const dims = metadata.shape.map((dim) => (typeof dim === 'number' ? dim : null));
  return { name: metadata.name, type: metadata.type, dims };
}

function toTensor(feeds: Tensors, name: string): Tensor {
  const feed = feeds[name];
  if (!feed) throw new Error(`The graph wants input "${name}"; it was given ${Object.keys(feeds).join(', ')}.`);
  return new Tensor(feed.type, feed.data as never, feed.dims);
}
