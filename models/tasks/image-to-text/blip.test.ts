import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { fixturesFolder, smallModels } from '../../parity/expected.ts';
import { findModel } from '../../parity/run-model.ts';
import pipelineFactory from './pipeline.ts';

/** What it writes is held against transformers in models/parity. */
it("starts and stops BLIP by the tokens of its text configuration, not by generation_config.json's", async () => {
  const files = await findModel(smallModels, 'blip-captioning');
  const preparing = await pipelineFactory.createPipeline(files, 'prepare');
  const lane = await pipelineFactory.createPipeline(files, 'lane');
  const begin = async (parameters: object) => {
    const path = join(fixturesFolder, 'media', 'small.png');
    const [row] = await preparing.prepare({ kind: 'file', path, type: 'image/png' }, { ...parameters });
    assert.ok(row);
    return lane.generation.begin(structuredClone(row), 0);
  };
  const { promptIds, stopIds } = await begin({});
  assert.deepEqual([promptIds, stopIds], [[200], [3]]);
  const prompted = (await begin({ prompt: 'a part' })).promptIds;
  assert.ok(prompted.length > 2 && prompted[0] === 200 && !prompted.slice(1).some((id) => id < 5), `${prompted}`);
});
