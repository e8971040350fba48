import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadPipelineFactory } from '../discover-tasks.ts';
import { createDecoder } from '../generation/create-decoder.ts';
import type { GenerationPlan, GenerativePipeline, Row, RowOutcome, Written } from '../task.ts';
import { smallModels } from './expected.ts';
import { openEngine } from './onnx-engine.ts';
import { findModel, partOf } from './run-model.ts';

interface ReferenceCase {
  readonly recording: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly windows: readonly (readonly number[])[];
  readonly output: {
    readonly text: string;
    readonly chunks?: readonly { readonly text: string; readonly timestamp: readonly (number | null)[] }[];
  };
}

/** As transformers cuts; and random weights may find that nobody speaks. */
const usual = { chunking: 'overlap', no_speech_threshold: 1 };
const root = join(import.meta.dirname, '..', '..');
const id = 'whisper-tiny';
/** The small one is kept; that of true shape is there after `npm run parity -- whisper-tiny`. */
const folders = { small: smallModels, true: join(root, '.millrace', 'parity', 'models', id) };

for (const [shape, folder] of Object.entries(folders)) {
  const skip = existsSync(join(folder, id, 'reference.json')) ? false : `not made yet: npm run parity -- ${id}`;
  describe(`Whisper of random weights and ${shape} shape`, { skip }, () => {
    let hearing: Awaited<ReturnType<typeof startHearing>>;
    let cases: readonly ReferenceCase[];
    before(async () => {
      hearing = await startHearing(folder, id);
      cases = JSON.parse(readFileSync(join(folder, id, 'reference.json'), 'utf8')) as readonly ReferenceCase[];
    });
    after(() => hearing.stop());

    it("writes transformers' tokens, whatever shares its batches", async () => {
      const rows = await Promise.all(cases.map((wish) => hearing.prepare(wish)));
      const { written } = await hearing.write(rows.flat());
      for (const [index, { windows, recording, parameters }] of cases.entries()) {
        // Language, task and no timestamps are written where the language was to be detected.
        const forced = 'language' in parameters || 'prompt' in parameters ? 0 : parameters['return_timestamps'] ? 2 : 3;
        const found = rows[index]?.map((row) => written.get(row)?.ids.slice(forced));
        assert.deepEqual(found, windows, `${basename(recording)} ${JSON.stringify(parameters)}`);
      }
    });

    it('joins them to the text and the chunks of transformers', async () => {
      for (const wish of cases) {
        const rows = await hearing.prepare(wish);
        const { outcomes } = await hearing.write(rows);
        const output = hearing.merge(outcomes.map(partOf), rows) as ReferenceCase['output'];
        assert.equal(output.text, wish.output.text.trim());
        // What says nothing is left out here; and no time is later than the end of the recording.
        const expected = wish.output.chunks?.filter(({ text }) => text !== '');
        for (const [index, { text, timestamp }] of (expected ?? []).entries()) {
          const own = output.chunks?.[index];
          assert.equal(own?.text, text);
          const [start, end] = (own?.timestamp ?? []) as [number, number];
          if (timestamp[0] != null) assert.ok(Math.abs(start - Math.min(timestamp[0], end)) < 0.011);
        }
        assert.equal(output.chunks?.length, expected?.length);
      }
    });
  });
}

async function startHearing(folder: string, id: string) {
  const files = await findModel(folder, id);
  const factory = await loadPipelineFactory(files.task);
  const create = async (use: 'prepare' | 'lane' | 'merge') =>
    (await factory.createPipeline(files, use)) as GenerativePipeline;
  const [preparing, lane, merging] = [await create('prepare'), await create('lane'), await create('merge')];
  const engine = await openEngine(files.versionFolder, lane.sessions);
  return {
    async prepare({ recording, parameters }: ReferenceCase): Promise<Row[]> {
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
