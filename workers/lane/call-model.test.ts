import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadPipelineFactory } from '../../models/discover-tasks.ts';
import { scanRepository } from '../../models/repository/scan-repository.ts';
import type { BatchTensor, CallPipeline, Row } from '../../models/task.ts';
import { assetsFolder, skipWithoutAssets } from '../../shared/testing/assets.ts';
import { CallModel } from './call-model.ts';
import { canaryRows } from './canary-rows.ts';

test('a call that has ended holds neither its pictures nor its batch', { skip: skipWithoutAssets() }, async (t) => {
  const { models } = await scanRepository([join(assetsFolder(), 'models/imagenet')]);
  const files = models.find(({ id }) => id === 'mobilenet_v2_1.0_224');
  assert.ok(files);
  const pipeline = (await (await loadPipelineFactory(files.task)).createPipeline(files, 'lane')) as CallPipeline;
  const batches: Readonly<Record<string, BatchTensor>>[] = [];
  const watched = {
    ...pipeline,
    collate: (rows: readonly Row[]) => {
      const batch = pipeline.collate(rows);
      batches.push(batch);
      return batch;
    },
  };
  const model = await CallModel.open(files, watched, { device: 'cpu', threads: 1 });
  t.after(() => model.release());
  const rows = canaryRows(pipeline, 2).map((row) => structuredClone(row));
  const { outcomes } = await model.run(rows.map((row) => ({ row, alone: true })));
  assert.equal(outcomes.filter((outcome) => 'json' in outcome).length, 2);
  const held = [...rows.map(({ tensors }) => tensors), ...batches].flatMap((tensors) => Object.values(tensors));
  assert.deepEqual(
    held.map(({ data }) => data.length),
    [0, 0, 0],
  );
});
