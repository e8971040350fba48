import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { modelFiles } from '../testing/model-files.ts';
import { findLayout, type GraphLayout } from './graph-layout.ts';

/** The layout of a folder that has these graphs; names alone are looked at. */
async function layoutOf(graphs: readonly string[], dtype = 'fp32'): Promise<GraphLayout> {
  const versionFolder = await mkdtemp(join(tmpdir(), 'layout-'));
  try {
    await mkdir(join(versionFolder, 'onnx'));
    for (const name of graphs) await writeFile(join(versionFolder, 'onnx', `${name}.onnx`), '');
    return findLayout(modelFiles({ id: 'm', task: 'image-to-text', versionFolder, dtype }));
  } finally {
    await rm(versionFolder, { recursive: true });
  }
}

const florence = ['vision_encoder', 'embed_tokens', 'encoder_model', 'decoder_model_merged'];

describe('the graphs of an encoder-decoder', () => {
  it('are those that decode fastest', async () => {
    const both = await layoutOf(['encoder_model', 'decoder_model', 'decoder_with_past_model', 'decoder_model_merged']);
    assert.deepEqual(both, {
      kind: 'merged',
      sessions: { encoder: 'onnx/encoder_model.onnx', decoder: 'onnx/decoder_model_merged.onnx' },
    });
    assert.equal((await layoutOf(['encoder_model', 'decoder_model', 'decoder_with_past_model'])).kind, 'split');
    assert.equal((await layoutOf(['encoder_model', 'decoder_model'])).kind, 'uncached');
    assert.deepEqual(await layoutOf(['vision_model', 'text_decoder_model']), {
      kind: 'uncached',
      sessions: { encoder: 'onnx/vision_model.onnx', decoder: 'onnx/text_decoder_model.onnx' },
    });
  });

  it('are four where pictures and prompts are read together, each in the dtype that it has', async () => {
    const graphs = [
      'vision_encoder_quantized',
      'embed_tokens',
      'encoder_model_quantized',
      'decoder_model_merged_quantized',
    ];
    assert.deepEqual((await layoutOf(graphs, 'q8')).sessions, {
      encoder: 'onnx/encoder_model_quantized.onnx',
      vision_encoder: 'onnx/vision_encoder_quantized.onnx',
      embed_tokens: 'onnx/embed_tokens.onnx',
      decoder: 'onnx/decoder_model_merged_quantized.onnx',
    });
  });

  it('are told with what was expected and what is there when one is missing', async () => {
    const refuses = (graphs: readonly string[], detail: RegExp) => assert.rejects(layoutOf(graphs), detail);
    await refuses(
      ['decoder_model'],
      /expected encoder_model\.onnx \(or vision_model\.onnx\) beside a decoder in onnx\/; found decoder_model\.onnx/,
    );
    await refuses(
      ['encoder_model'],
      /decoder_model\.onnx with decoder_with_past_model\.onnx, or .*found encoder_model\.onnx\./,
    );
    for (const half of ['vision_encoder', 'embed_tokens'])
      await refuses(
        florence.filter((name) => name !== half),
        /both vision_encoder\.onnx and embed_tokens\.onnx, or neither/,
      );
  });
});
