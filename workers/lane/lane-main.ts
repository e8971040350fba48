/**
 * Entry of a lane: a child process that owns ONNX sessions on one device and runs one call at a time. Its parent may
 * kill it at any moment; it owns nothing that would be missed. Dies with its parent.
 */
import { setPriority } from 'node:os';
import { loadPipelineFactory } from '../../models/discover-tasks.ts';
import { type ModelFiles, unitOf } from '../../models/repository/model-files.ts';
import { verifyFiles } from '../../models/repository/verify-files.ts';
import { receiveBulk } from './bulk-tensors.ts';
import { CallCpu } from './call-cpu.ts';
import { CallModel } from './call-model.ts';
import { type LaneOptions, type LaneReply, type LaneRequest, lanePriority } from './lane-protocol.ts';
import { WritingModel } from './writing-model.ts';

type LoadedModel = CallModel | WritingModel;
type Call = Extract<LaneRequest, { type: 'run' | 'step' }>;

// Below the event loops that feed it: they need the core for a moment only, but at once.
setPriority(lanePriority);
const options = JSON.parse(process.argv[2] ?? '{}') as LaneOptions;
const loaded = new Map<string, LoadedModel>();
const cpu = new CallCpu(options);

async function load(files: ModelFiles): Promise<LaneReply> {
  const startedAt = performance.now();
  const bytesBefore = process.memoryUsage.rss();
  await verifyFiles(files);
  const factory = await loadPipelineFactory(files.task);
  const pipeline = await factory.createPipeline(files, 'lane');
  const model = pipeline.generation
    ? await WritingModel.open(files, pipeline, options)
    : await CallModel.open(files, pipeline, options);
  const loadMs = performance.now() - startedAt;
  const canaryMs = await runCanary(model);
  // A GPU tunes its kernels, and the arena grows, per size of a batch.
  for (const rows of files.warmUpRows) await model.canary(rows);
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - bytesBefore);
  await loaded.get(unitOf(files))?.release();
  loaded.set(unitOf(files), model);
  return { type: 'loaded', model: unitOf(files), loadMs, canaryMs, memoryBytes, writes: model.writes };
}

/** Twice: the first run allocates; the second is what a tiny item costs. A canary that fails fails the load. */
async function runCanary(model: LoadedModel): Promise<number> {
  let ms = 0;
  for (let round = 0; round < 2; round++) {
    const startedAt = performance.now();
    await model.canary();
    ms = performance.now() - startedAt;
  }
  return ms;
}

async function call(request: Call): Promise<LaneReply> {
  const model = loaded.get(request.model);
  try {
    // Before the answer: behind it the next call's may be written.
    const rows = receiveBulk(request.type === 'run' ? request.rows : []);
    const admit = receiveBulk(request.type === 'step' ? request.admit : []);
    if (model instanceof WritingModel && request.type === 'step')
      return { type: 'stepped', call: request.call, ...(await model.step({ ...request, admit })) };
    if (model instanceof CallModel && request.type === 'run')
      return { type: 'ran', call: request.call, ...(await model.run(rows)), ...cpu.end() };
    throw new Error(`Model ${request.model} is not loaded here for a call of type ${request.type}.`);
  } catch (error) {
    const reason = (error as Error).message;
    return { type: 'run-failed', call: request.call, reason, outOfMemory: /alloc|memory/i.test(reason) };
  }
}

async function answer(request: LaneRequest): Promise<LaneReply | null> {
  if (request.type === 'run' || request.type === 'step') return await call(request);
  if (request.type === 'unload') {
    await loaded.get(request.model)?.release();
    loaded.delete(request.model);
    return null;
  }
  try {
    return await load(request.files);
  } catch (error) {
    return { type: 'load-failed', model: unitOf(request.files), reason: (error as Error).message };
  }
}

/** A parent that has just died hears nothing; without the callback that would be an uncaught EPIPE in the log. */
function tell(reply: LaneReply): void {
  if (process.connected) process.send?.(reply, undefined, undefined, () => {});
}

// One request after the other: the parent sends a load behind a run, say, and replies must keep that order.
let tail: Promise<unknown> = Promise.resolve();
process.on('message', (request: LaneRequest) => {
  tail = tail
    .then(() => answer(request))
    .then((reply) => {
      if (reply?.type !== 'ran') cpu.begin();
      if (reply) tell(reply);
    });
});
process.on('disconnect', () => process.exit(0));
if (!process.connected) process.exit(0); // The parent died while this process was loading.
// A terminal's Ctrl-C reaches the whole group; the parent decides when a lane ends.
process.on('SIGINT', () => {});
tell({ type: 'hello' });
