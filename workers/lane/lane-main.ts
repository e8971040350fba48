/**
 * Entry of a lane: a child process that owns ONNX sessions on one device and runs one batch at a time. Its parent may
 * kill it at any moment; it owns nothing that would be missed. Dies with its parent.
 */
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { loadPipelineFactory } from '../../models/discover-tasks.ts';
import { type ModelFiles, unitOf } from '../../models/repository/model-files.ts';
import { verifyFiles } from '../../models/repository/verify-files.ts';
import type { CallPipeline, Pipeline, Row, RowOutcome } from '../../models/task.ts';
import { encodeOutput } from '../../shared/jobs/output-codec.ts';
import { Problem, toProblem } from '../../shared/problems/problem.ts';
import {
  type LaneOptions,
  type LaneOutcome,
  type LaneReply,
  type LaneRequest,
  type LaneRow,
  lanePriority,
} from './lane-protocol.ts';
import { type OnnxSession, openSession } from './onnx-session.ts';

interface LoadedModel {
  readonly pipeline: CallPipeline;
  readonly session: OnnxSession;
}

// Below the event loops that feed it and renew locks: they need the core for a moment only, but at once.
setPriority(lanePriority);
const options = JSON.parse(process.argv[2] ?? '{}') as LaneOptions;
const loaded = new Map<string, LoadedModel>();

async function load(files: ModelFiles): Promise<LaneReply> {
  const startedAt = performance.now();
  const bytesBefore = process.memoryUsage.rss();
  await verifyFiles(files);
  const factory = await loadPipelineFactory(files.task);
  const pipeline = await factory.createPipeline(files, 'lane');
  if (pipeline.generation) throw new Error(`Model ${files.id} writes token by token, which this lane can not.`);
  const graph = pipeline.sessions['model'];
  if (!graph) throw new Error(`The pipeline of ${files.task} names no session "model".`);
  const session = await openSession(join(files.versionFolder, graph), options);
  const model = { pipeline, session };
  const loadMs = performance.now() - startedAt;
  const canaryMs = await runCanary(model);
  await warmUp(model, files.warmUpRows);
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - bytesBefore);
  await loaded.get(unitOf(files))?.session.release();
  loaded.set(unitOf(files), model);
  return { type: 'loaded', model: unitOf(files), loadMs, canaryMs, memoryBytes };
}

/** Twice: the first run allocates; the second is what a tiny item costs. A canary that fails fails the load. */
async function runCanary({ pipeline, session }: LoadedModel): Promise<number> {
  const { rows } = pipeline.canary;
  let ms = 0;
  for (let round = 0; round < 2; round++) {
    const startedAt = performance.now();
    const outcomes = pipeline.postprocess(await session.run(pipeline.collate(rows)), rows);
    for (const outcome of outcomes)
      if ('problem' in outcome) throw new Error(`Canary failed: ${outcome.problem.detail}`);
    ms = performance.now() - startedAt;
  }
  return ms;
}

/** Batches of the sizes that the manifest names: a GPU tunes its kernels, and the arena grows, per size. */
async function warmUp({ pipeline, session }: LoadedModel, sizes: readonly number[]): Promise<void> {
  const { rows } = pipeline.canary;
  for (const size of sizes) {
    const batch = Array.from({ length: size }, (_, i) => rows[i % rows.length] as Row);
    await session.run(pipeline.collate(batch));
  }
}

async function run(call: number, modelId: string, laneRows: readonly LaneRow[]): Promise<LaneReply> {
  const model = loaded.get(modelId);
  if (!model) return { type: 'run-failed', call, reason: `Model ${modelId} is not loaded here.`, outOfMemory: false };
  const { pipeline, session } = model;
  const rows = laneRows.map(({ row }) => row);
  try {
    const startedAt = performance.now();
    const outputs = await session.run(pipeline.collate(rows));
    const computedAt = performance.now();
    const outcomes = pipeline.postprocess(outputs, rows);
    if (outcomes.length !== rows.length) throw new Error(`${rows.length} rows went in, ${outcomes.length} came out.`);
    return {
      type: 'ran',
      call,
      outcomes: outcomes.map((outcome, i) => close(pipeline, outcome, laneRows[i] as LaneRow)),
      computeMs: computedAt - startedAt,
      postprocessMs: performance.now() - computedAt,
    };
  } catch (error) {
    const reason = (error as Error).message;
    return { type: 'run-failed', call, reason, outOfMemory: /alloc|memory/i.test(reason) };
  }
}

/** Serialises here what can be: it saved 0.2 ms of the worker's loop per item. */
function close(pipeline: Pipeline, outcome: RowOutcome, { row, alone }: LaneRow): LaneOutcome {
  if ('problem' in outcome || !alone) return outcome;
  try {
    return { json: encodeOutput(pipeline.merge([outcome.part], [row.context])) };
  } catch (error) {
    const problem = error instanceof Problem ? error : toProblem(error, 'inference-failed');
    return { problem: problem.toDetails() };
  }
}

async function answer(request: LaneRequest): Promise<LaneReply | null> {
  if (request.type === 'run') return await run(request.call, request.model, request.rows);
  if (request.type === 'unload') {
    await loaded.get(request.model)?.session.release();
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
  tail = tail.then(() => answer(request)).then((reply) => reply && tell(reply));
});
process.on('disconnect', () => process.exit(0));
if (!process.connected) process.exit(0); // The parent died while this process was loading.
// A terminal's Ctrl-C reaches the whole group; the parent decides when a lane ends.
process.on('SIGINT', () => {});
tell({ type: 'hello' });
