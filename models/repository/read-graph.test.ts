import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { assetsFolder, skipWithoutAssets } from '../parity/assets.ts';
import { message, node, onnxModel, outsideTensor } from '../testing/onnx-bytes.ts';
import { readGraphOperators, readGraphReach, readGraphSignature } from './read-graph.ts';

describe('reading an ONNX file without loading it', () => {
  let folder: string;
  let path: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graph-'));
    path = join(folder, 'model.onnx');
  });
  after(() => rm(folder, { recursive: true }));
  const reachOf = async (bytes: Buffer) => {
    await writeFile(path, bytes);
    const { locations, domains } = readGraphReach(path);
    return { locations: [...locations], domains: Object.fromEntries(domains) };
  };

  it('names inputs and outputs of real exports, which reach for nothing outside', { skip: skipWithoutAssets() }, () => {
    const at = (name: string) => join(assetsFolder, 'models', name);
    assert.deepEqual(readGraphSignature(at('all-MiniLM-L6-v2/onnx/model.onnx')), {
      inputs: ['input_ids', 'attention_mask', 'token_type_ids'],
      outputs: ['last_hidden_state'],
    });
    assert.deepEqual(readGraphSignature(at('silero-vad/silero_vad.onnx')).outputs, ['output', 'stateN']);
    const quantized = 'imagenet/mobilenet_v2_1.0_224/onnx/model_quantized.onnx';
    assert.deepEqual(readGraphSignature(at(quantized)).inputs, ['pixel_values']);
    for (const name of ['all-MiniLM-L6-v2/onnx/model.onnx', 'silero-vad/silero_vad.onnx', quantized]) {
      const { locations, domains } = readGraphReach(at(name));
      assert.deepEqual([...locations], [], name);
      assert.ok(
        [...domains.keys()].every((domain) => ['', 'ai.onnx', 'com.microsoft'].includes(domain)),
        name,
      );
    }
  });

  it('refuses what is no graph: nothing, text, a cut file', async () => {
    for (const bytes of ['', 'version https://git-lfs.github.com/spec/v1', Buffer.from([0x3a, 0x7f, 0x5a])]) {
      await writeFile(path, bytes);
      assert.throws(() => readGraphSignature(path), /not an ONNX file, or it ends early/);
    }
    await writeFile(path, onnxModel({ graph: [[5, Buffer.alloc(200_000)]] }).subarray(0, 150_000));
    assert.throws(() => readGraphReach(path), /not an ONNX file/);
  });

  it('finds external data wherever a tensor can hide', async () => {
    const attribute = (field: number, content: Buffer) => message([5, message([field, content])]);
    const subgraph = message([5, outsideTensor('in-subgraph')]);
    const bytes = onnxModel({
      graph: [
        [5, outsideTensor('weights.bin')],
        [5, outsideTensor(`/${'long'.repeat(40)}`)],
        [1, attribute(5, outsideTensor('in-attribute'))],
        [1, attribute(6, subgraph)],
        [15, message([1, outsideTensor('in-sparse')])],
        // The value before its key, as a writer that means no good would put it.
        [5, message([13, message([2, 'reversed'], [1, 'location'])])],
      ],
      model: [[25, message([1, 'F'], [7, attribute(10, outsideTensor('in-function'))])]],
    });
    assert.deepEqual((await reachOf(bytes)).locations.sort(), [
      `/${'long'.repeat(40)}`,
      'in-attribute',
      'in-function',
      'in-sparse',
      'in-subgraph',
      'reversed',
      'weights.bin',
    ]);
  });

  it('names the domains of operators, but not of functions that the file defines itself', async () => {
    const own = message([1, 'Gelu'], [7, node('Erf')], [10, 'pkg.onnxscript']);
    const bytes = onnxModel({
      graph: [
        [1, node('Gelu', 'pkg.onnxscript')],
        [1, node('Attention', 'com.microsoft')],
        [1, node('Steal', 'evil.ops')],
      ],
      model: [[25, own]],
    });
    assert.deepEqual((await reachOf(bytes)).domains, { '': 'Erf', 'com.microsoft': 'Attention', 'evil.ops': 'Steal' });
  });

  it('names every operator, also in branches and functions', async () => {
    const branch = message([6, message([1, node('DynamicQuantizeLinear')])]);
    const own = message([1, 'F'], [7, node('Erf')], [10, 'mine']);
    await writeFile(path, onnxModel({ graph: [[1, node('If', '', [5, branch])]], model: [[25, own]] }));
    assert.deepEqual([...readGraphOperators(path)].sort(), ['DynamicQuantizeLinear', 'Erf', 'Identity', 'If']);
  });

  it('stops at graphs in graphs without end', async () => {
    let graph = message([1, node('If')]);
    for (let depth = 0; depth < 100; depth++) graph = message([1, message([5, message([6, graph])])]);
    await assert.rejects(reachOf(onnxModel({ graph: [[1, message([5, message([6, graph])])]] })), /not an ONNX file/);
  });
});
