/**
 * What shares a call with a row changes nothing for it. Every single-call model of the zoo and of the assets, in every dtype
 * that it has: each row alone, among copies of itself, and in a ragged batch at every place. Rows meet where the scheduler
 * would let them meet: under one shape key.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadContracts, loadPipelineFactory } from '../discover-tasks.ts';
import { dtypesIn } from '../repository/find-graphs.ts';
import type { ModelFiles } from '../repository/model-files.ts';
import { scanRepository } from '../repository/scan-repository.ts';
import type { PreparedSource, Row, RowOutcome } from '../task.ts';
import { assetsFolder, skipWithoutAssets } from './assets.ts';
import { findModel, inDtype, partOf, type RunningModel, sourceOf, startModel } from './run-model.ts';

/** For models whose card gives no bound of its own. Scores are rounded to 1e-5: two that agree may differ by one. */
const driftMax = 1.001e-5;
const rowsMax = 8;

const directories = [
  join(import.meta.dirname, '..', 'zoo'),
  join(assetsFolder, 'models'),
  join(assetsFolder, 'models', 'imagenet'),
].filter((path) => existsSync(path));
const { models } = await scanRepository(directories);
const contracts = await loadContracts();

/** One model per dtype whose files are there. */
const variants = models.flatMap((files) =>
  dtypesIn(readdirSync(join(files.versionFolder, 'onnx'))).map((dtype) => inDtype(files, dtype)),
);

const texts = [
  'молоко простоквашино 3.2% 1л',
  'пиво',
  'A man is eating food.',
  '🥛 whole milk, 3.5 %, one litre',
  'The mill race carries water to the wheel. '.repeat(8),
  'coca cola zero 0,5',
];
const images = ['imagenet-fish', 'tflite-support'];

function itemsOf(files: ModelFiles): PreparedSource[] {
  const contract = contracts.get(files.task);
  const items = files.samples.map((sample) => sourceOf(files, sample));
  if (contract?.item) return [...items, { kind: 'json', value: contract.item.parse(contract.example.input) }];
  if (contract?.media === 'text') return [...items, ...texts.map((text) => ({ kind: 'text', text }) as const)];
  if (contract?.media === 'image') return [...items, ...photos()];
  return items;
}

function photos(): PreparedSource[] {
  if (skipWithoutAssets()) return [];
  return images.flatMap((folder) =>
    readdirSync(join(assetsFolder, 'images', folder))
      .filter((name) => /\.jpe?g$/i.test(name))
      .slice(0, 3)
      .map((name) => ({ kind: 'file', path: join(assetsFolder, 'images', folder, name), type: 'image/jpeg' }) as const),
  );
}

/** Largest difference of any number; infinite where anything else differs. */
function distance(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return Object.is(a, b) ? 0 : Number.POSITIVE_INFINITY;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  return left.reduce((most, [key, value]) => Math.max(most, distance(value, (b as Record<string, unknown>)[key])), 0);
}

/** The largest that a row of these moves by company; all may share calls. */
async function driftOf(model: RunningModel, rows: readonly Row[]): Promise<number> {
  const run = async (batch: readonly Row[]) => (await model.run(batch)).map((outcome: RowOutcome) => partOf(outcome));
  const alone: unknown[] = [];
  for (const row of rows) alone.push(...(await run([row])));
  let drift = 0;
  const compare = (parts: readonly unknown[], order: readonly number[]) => {
    for (const [place, at] of order.entries()) drift = Math.max(drift, distance(parts[place], alone[at]));
  };
  for (const [at, row] of rows.entries()) compare(await run([row, row, row]), [at, at, at]);
  for (const shift of rows.keys()) {
    const order = rows.map((_, at) => (at + shift) % rows.length);
    compare(await run(order.map((at) => rows[at] as Row)), order);
  }
  return drift;
}

async function rowsOf(model: RunningModel): Promise<Row[]> {
  const rows: Row[] = [];
  for (const item of itemsOf(model.files)) rows.push(...(await model.prepare(item)));
  return rows.slice(0, rowsMax);
}

describe('a row has the same result alone, among copies of itself, and at every place of a ragged batch', () => {
  for (const files of variants) {
    it(`of ${files.id} (${files.dtype})`, async (context) => {
      const lane = await (await loadPipelineFactory(files.task)).createPipeline(files, 'lane');
      if (lane.generation) return context.skip('writes token by token; its own tests run it');
      const model = await startModel(files);
      const rows = await rowsOf(model);
      if (rows.length === 0) return context.skip('no sample, and no test material for it');
      const groups = Map.groupBy(rows, ({ shapeKey }) => shapeKey);
      for (const [key, group] of groups) {
        // A key that no second row has is run alone, always.
        if (group.length === 1) continue;
        const drift = await driftOf(model, group);
        const bound = files.batchDriftMax ?? driftMax;
        assert.ok(drift <= bound, `rows under "${key}" move by ${drift}; ${bound} is the most`);
      }
    });
  }
});

it('is needed: the int8 file of MiniLM moves when its rows share a call', { skip: skipWithoutAssets() }, async () => {
  const model = await startModel(await findModel(join(assetsFolder, 'models'), 'all-MiniLM-L6-v2', 'q8'));
  const rows = await rowsOf(model);
  assert.ok((await driftOf(model, rows)) > 0.005);
  assert.equal(new Set(rows.map(({ shapeKey }) => shapeKey)).size, rows.length, 'so none may meet another');
});
