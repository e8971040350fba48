import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { Problem } from '../../../../shared/problems/problem.ts';
import { fixturesFolder, smallModels } from '../../../parity/expected.ts';
import { findModel } from '../../../parity/run-model.ts';
import type { GenerativePipeline } from '../../../task.ts';
import pipelineFactory from '../pipeline.ts';

/** What it writes is held against transformers in models/parity. */
describe('image to text with Florence-2', () => {
  let preparing: GenerativePipeline;
  let lane: GenerativePipeline;
  before(async () => {
    const files = await findModel(smallModels, 'florence-2');
    preparing = await pipelineFactory.createPipeline(files, 'prepare');
    lane = await pipelineFactory.createPipeline(files, 'lane');
  });
  const prepare = async (parameters: object) => {
    const path = join(fixturesFolder, 'media', 'turned.jpg');
    const [row] = await preparing.prepare({ kind: 'file', path, type: 'image/jpeg' }, { ...parameters });
    assert.ok(row);
    return structuredClone(row);
  };

  it('asks for a caption when nothing is said, and lets questions of one length share a call', async () => {
    const [caption, same, other] = [
      await prepare({}),
      await prepare({ prompt: '<CAPTION>' }),
      await prepare({ prompt: '<OD>' }),
    ];
    assert.deepEqual(caption.tensors['input_ids'], same.tensors['input_ids']);
    assert.equal(caption.shapeKey, same.shapeKey);
    assert.notEqual(caption.shapeKey, other.shapeKey);
    const feeds = lane.generation.collate([caption, same]);
    assert.deepEqual(feeds['input_ids']?.dims, [2, caption.tensors['input_ids']?.data.length]);
    assert.deepEqual(lane.generation.begin(other, 0).promptIds, [2], 'the question is the encoder’s');
  });

  it('reads places in pixels of the upright picture, for tasks that tell them', async () => {
    const text = { generated_text: 'cat<loc_0><loc_0><loc_50><loc_99>', finish_reason: 'stop' };
    const merge = async (prompt: string) => preparing.merge([text], [(await prepare({ prompt })).context]);
    // 120 x 70, turned by its EXIF orientation.
    assert.deepEqual(await merge('<OD>'), { ...text, regions: [{ label: 'cat', box: [0, 0, 3, 11] }] });
    assert.deepEqual(await merge('<CAPTION>'), text);
  });

  it('says how many tokens a question may have beside the picture', async () => {
    await assert.rejects(prepare({ prompt: 'why '.repeat(60) }), (error) => {
      return error instanceof Problem && error.slug === 'input-too-long' && /room for 79/.test(error.detail);
    });
  });

  it('hides the tokens that have a role, and keeps places', async () => {
    const row = await prepare({ prompt: '<OD>' });
    const outcome = lane.generation.finish(
      row,
      { ids: [0, 70, 268, 1], logProbs: new Float32Array(0), reason: 'stop' },
      0,
    );
    assert.match(JSON.stringify(outcome), /"generated_text":"[^<]<loc_\d+>"/);
  });
});
