import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { assetsFolder, skipWithoutAssets } from '../parity/assets.ts';
import { readGraphSignature } from './read-graph.ts';

describe('reading the signature of a graph', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graph-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('names inputs and outputs of real exports', { skip: skipWithoutAssets() }, () => {
    const read = (path: string) => readGraphSignature(join(assetsFolder, 'models', path));
    assert.deepEqual(read('all-MiniLM-L6-v2/onnx/model.onnx'), {
      inputs: ['input_ids', 'attention_mask', 'token_type_ids'],
      outputs: ['last_hidden_state'],
    });
    assert.deepEqual(read('silero-vad/silero_vad.onnx').outputs, ['output', 'stateN']);
    assert.deepEqual(read('imagenet/mobilenet_v2_1.0_224/onnx/model_quantized.onnx').inputs, ['pixel_values']);
  });

  it('refuses what is no graph: nothing, text, a cut file', async () => {
    for (const bytes of ['', 'version https://git-lfs.github.com/spec/v1', Buffer.from([0x3a, 0x7f, 0x5a])]) {
      const path = join(folder, 'model.onnx');
      await writeFile(path, bytes);
      assert.throws(() => readGraphSignature(path), /not an ONNX file, or it ends early/);
    }
  });
});
