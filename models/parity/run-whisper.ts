/**
 * Runs a Whisper model through its pipeline and decoder in one process, as worker and lane do in several, and shows the
 * tokens behind its windows. Test code only.
 */
import { join } from 'node:path';
import { loadPipelineFactory } from '../discover-tasks.ts';
import { createDecoder } from '../generation/create-decoder.ts';
import type { GenerationPlan, GenerativePipeline, Row, RowOutcome, Written } from '../task.ts';
import { trueModels } from './expected.ts';
import { openEngine } from './onnx-engine.ts';
import { findModel } from './run-model.ts';

export interface Wish {
  /** Path from the root of the repository. */
  readonly recording: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** As transformers cuts; and random weights may find that nobody speaks. */
const usual = { chunking: 'overlap', no_speech_threshold: 1 };
const root = join(import.meta.dirname, '..', '..');

/** The small export is kept; that of true shape is there after `npm run parity -- <id>`. */
export function shapesOf(id: string, small: string): Readonly<Record<string, string>> {
  return { small, true: join(trueModels, id) };
}

export async function startHearing(folder: string, id: string) {
  const files = await findModel(folder, id);
  const factory = await loadPipelineFactory(files.task);
  const create = async (use: 'prepare' | 'lane' | 'merge') =>
    (await factory.createPipeline(files, use)) as GenerativePipeline;
  const [preparing, lane, merging] = [await create('prepare'), await create('lane'), await create('merge')];
  const engine = await openEngine(files.versionFolder, lane.sessions);
  return {
    async prepare({ recording, parameters }: Wish): Promise<Row[]> {
      const source = { kind: 'file', path: join(root, recording), type: 'audio/wav' } as const;
      return structuredClone(await preparing.prepare(source, { ...usual, ...parameters }));
    },
    /** All rows at once, as one lane does; with the tokens that the plan was given. */
    async write(rows: readonly Row[]): Promise<{ outcomes: RowOutcome[]; written: Map<Row, Written> }> {
      const written = new Map<Row, Written>();
      const plan: GenerationPlan = {
        ...lane.generation,
        finish(row, own, attempt) {
          written.set(row, own);
          return lane.generation.finish(row, own, attempt);
        },
      };
      const decoder = createDecoder(engine, plan, Object.keys(lane.sessions));
      const finished = decoder.admit(rows.map((row, index) => ({ id: index, row, rank: 0 })));
      while (finished.length < rows.length) finished.push(...(await decoder.advance(1000)).finished);
      const outcomes = finished.toSorted((a, b) => a.id - b.id).map(({ outcome }) => outcome);
      return { outcomes, written };
    },
    merge: (parts: readonly unknown[], rows: readonly Row[]) =>
      merging.merge(
        parts,
        rows.map(({ context }) => context),
      ),
    stop: () => engine.release(),
  };
}
