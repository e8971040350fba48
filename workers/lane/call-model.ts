/** A model whose rows take one call, as a lane has it loaded: batches in, outcomes out. */
import { join } from 'node:path';
import { freeLarge } from '../../models/free-memory.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { CallPipeline } from '../../models/task.ts';
import { canaryRows } from './canary-rows.ts';
import { closeOutcome } from './close-outcome.ts';
import type { LaneOptions, LaneOutcome, LaneRow } from './lane-protocol.ts';
import { type OnnxSession, openSession } from './onnx-session.ts';

export interface CallTimes {
  readonly outcomes: readonly LaneOutcome[];
  readonly computeMs: number;
  readonly postprocessMs: number;
}

export class CallModel {
  readonly writes = null;
  readonly #pipeline: CallPipeline;
  readonly #session: OnnxSession;

  private constructor(pipeline: CallPipeline, session: OnnxSession) {
    this.#pipeline = pipeline;
    this.#session = session;
  }

  static async open(files: ModelFiles, pipeline: CallPipeline, options: LaneOptions): Promise<CallModel> {
    const graph = pipeline.sessions['model'];
    if (!graph) throw new Error(`The pipeline of ${files.task} names no session "model".`);
    return new CallModel(pipeline, await openSession(join(files.versionFolder, graph), options));
  }

  async canary(count?: number): Promise<void> {
    const rows = canaryRows(this.#pipeline, count);
    const outcomes = this.#pipeline.postprocess(await this.#session.run(this.#pipeline.collate(rows)), rows);
    for (const outcome of outcomes)
      if ('problem' in outcome) throw new Error(`Canary failed: ${outcome.problem.detail}`);
  }

  async run(laneRows: readonly LaneRow[]): Promise<CallTimes> {
    const rows = laneRows.map(({ row }) => row);
    const startedAt = performance.now();
    const feeds = this.#pipeline.collate(rows);
    const outputs = await this.#session.run(feeds);
    const computedAt = performance.now();
    const outcomes = this.#pipeline.postprocess(outputs, rows);
    if (outcomes.length !== rows.length) throw new Error(`${rows.length} rows went in, ${outcomes.length} came out.`);
    const closed = outcomes.map((outcome, i) => closeOutcome(this.#pipeline, outcome, laneRows[i] as LaneRow));
    for (const { tensors } of rows) freeLarge(tensors);
    freeLarge(feeds);
    return { outcomes: closed, computeMs: computedAt - startedAt, postprocessMs: performance.now() - computedAt };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}
