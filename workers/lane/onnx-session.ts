/**
 * The only door to onnxruntime-node. `run` is synchronous inside and blocks its process for the whole call (8 runs
 * delayed a file read by 583 ms), so this is loaded in lane processes alone.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { GraphPort } from '../../models/generation/engine.ts';
import type { BatchTensor } from '../../models/task.ts';
import type { LaneOptions } from './lane-protocol.ts';

export interface OnnxSession {
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  /** All outputs, or those that are wanted. */
  run(feeds: Readonly<Record<string, BatchTensor>>, wanted?: readonly string[]): Promise<Record<string, BatchTensor>>;
  release(): Promise<void>;
}

/**
 * Opens a graph on the lane's device. On `cuda:N` the lane sees that one GPU only (CUDA_VISIBLE_DEVICES), as device 0,
 * and a missing CUDA provider throws instead of falling back to the CPU. `isGrowing`: inputs grow from call to call.
 */
export async function openSession(
  path: string,
  { device, threads }: LaneOptions,
  isGrowing = false,
): Promise<OnnxSession> {
  const session = await InferenceSession.create(path, {
    executionProviders: device === 'cpu' ? ['cpu'] : [{ name: 'cuda', deviceId: 0 }],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // Threads that spin while they wait cost 720 ms CPU instead of 469 at equal wall time, and starve the other lane.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    logSeverityLevel: 3,
    // Kept for every shape of a call, and a cache that grows by the token has a new one each time.
    enableMemPattern: !isGrowing,
  });
  return {
    inputs: session.inputMetadata.map(toPort),
    outputs: session.outputMetadata.map(toPort),
    async run(feeds, wanted) {
      const inputs: Record<string, Tensor> = {};
      for (const name of session.inputNames) {
        const feed = feeds[name];
        if (!feed)
          throw new Error(`The graph wants input "${name}"; the pipeline gave ${Object.keys(feeds).join(', ')}.`);
        inputs[name] = new Tensor(feed.type, feed.data as never, feed.dims);
      }
      const outputs = await (wanted ? session.run(inputs, wanted) : session.run(inputs));
      const read: Record<string, BatchTensor> = {};
      for (const [name, tensor] of Object.entries(outputs)) read[name] = readTensor(name, tensor as Tensor);
      return read;
    },
    async release() {
      await session.release();
    },
  };
}

function toPort(metadata: InferenceSession.ValueMetadata): GraphPort {
  if (!metadata.isTensor) return { name: metadata.name, type: 'no tensor', dims: [] };
  const dims = metadata.shape.map((dim) => (typeof dim === 'number' ? dim : null));
  return { name: metadata.name, type: metadata.type, dims };
}

function readTensor(name: string, tensor: Tensor): BatchTensor {
  if (tensor.type !== 'float32' && tensor.type !== 'int64' && tensor.type !== 'bool')
    throw new Error(`Output "${name}" is ${tensor.type}; float32, int64 and bool are read.`);
  return { type: tensor.type, dims: tensor.dims, data: tensor.data as BatchTensor['data'] };
}
