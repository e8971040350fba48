/**
 * Runs a model that writes token by token through its pipeline and decoder in one process, as worker and lane do in
 * several, and shows the tokens behind its outputs. Test code only.
 */

import { loadPipelineFactory } from '../discover-tasks.ts';
import { createDecoder } from '../generation/create-decoder.ts';
import type { GenerationPlan, Pipeline, PreparedSource, Row, RowOutcome, Written } from '../task.ts';
import { openEngine } from './onnx-engine.ts';
import { findModel } from './run-model.ts';

export interface RunningWriter {
  prepare(source: PreparedSource, parameters?: Readonly<Record<string, unknown>>): Promise<Row[]>;
  /** All rows at once, as one lane does: outcomes in their order, with the tokens that the plan was given. */
  write(rows: readonly Row[]): Promise<{ outcomes: RowOutcome[]; written: Map<Row, Written> }>;
  stop(): Promise<void>;
}

/** Null for a model of single calls. */
export async function startWriter(directory: string, id: string): Promise<RunningWriter | null> {
  const files = await findModel(directory, id);
  const factory = await loadPipelineFactory(files.task);
  const lane: Pipeline = await factory.createPipeline(files, 'lane');
  const { generation } = lane;
  if (!generation) return null;
  const preparing = await factory.createPipeline(files, 'prepare');
  const engine = await openEngine(files.versionFolder, lane.sessions);
  return {
    // Rows cross to the lane as structured clones.
    prepare: async (source, parameters = {}) => structuredClone(await preparing.prepare(source, parameters)),
    async write(rows) {
      const written = new Map<Row, Written>();
      const plan: GenerationPlan = {
        ...generation,
        begin: (row, attempt) => ({ ...generation.begin(row, attempt), skipLogProbs: false }),
        finish(row, own, attempt) {
          written.set(row, own);
          return generation.finish(row, own, attempt);
        },
      };
      const decoder = createDecoder(engine, plan, Object.keys(lane.sessions));
      const finished = decoder.admit(rows.map((row, id) => ({ id, row, rank: 0 })));
      while (finished.length < rows.length) finished.push(...(await decoder.advance(1000)).finished);
      return { outcomes: finished.toSorted((a, b) => a.id - b.id).map(({ outcome }) => outcome), written };
    },
    stop: () => engine.release(),
  };
}
