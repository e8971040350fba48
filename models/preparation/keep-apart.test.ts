import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { assetsFolder, skipWithoutAssets } from '../parity/assets.ts';
import { findModel } from '../parity/run-model.ts';
import type { ModelFiles } from '../repository/model-files.ts';
import { prepareItem } from './prepare-item.ts';

const keysOf = async (files: ModelFiles) => {
  const source = { kind: 'text', text: 'The wheel turns.' } as const;
  const rows = await Promise.all([1, 2, 3].map(() => prepareItem({ files, source, parameters: {} })));
  return new Set(rows.flat().map(({ shapeKey }) => shapeKey));
};

it('gives every row of a dynamically quantised model a key of its own', { skip: skipWithoutAssets() }, async () => {
  const files = await findModel(join(assetsFolder, 'models'), 'all-MiniLM-L6-v2', 'q8');
  assert.equal((await keysOf(files)).size, 3);
});

it('lets rows share calls where the manifest says how far results may move', {
  skip: skipWithoutAssets(),
}, async () => {
  const files = await findModel(join(assetsFolder, 'models'), 'all-MiniLM-L6-v2', 'q8');
  assert.equal((await keysOf({ ...files, batchDriftMax: 0.05, revision: 'with a bound' })).size, 1);
});

it('lets rows of fp32 and of weight-only int8 share calls', async () => {
  assert.equal(
    (await keysOf(await findModel(join(import.meta.dirname, '..', 'zoo'), 'starter-ner-groceries'))).size,
    1,
  );
});
