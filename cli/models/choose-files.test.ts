import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dtype } from '../../models/repository/dtypes.ts';
import { chooseFiles } from './choose-files.ts';
import { readSource } from './read-source.ts';

const choose = (paths: readonly string[], dtype?: Dtype, bytes = 10) => {
  const chosen = chooseFiles(
    'org/m',
    paths.map((path) => ({ path, bytes })),
    dtype,
  );
  return [chosen.dtype, ...chosen.files.map(({ place }) => place).sort()];
};

describe('choosing the files of a model', () => {
  it('takes all graphs of a decoder in one dtype, the merged one before the pair', () => {
    const stems = ['encoder_model', 'decoder_model', 'decoder_with_past_model', 'decoder_model_merged'];
    const all = ['config.json', ...stems.flatMap((stem) => [`onnx/${stem}.onnx`, `onnx/${stem}_quantized.onnx`])];
    assert.deepEqual(choose(all), ['fp32', 'config.json', 'onnx/decoder_model_merged.onnx', 'onnx/encoder_model.onnx']);
    const split = all.filter((path) => !path.includes('merged'));
    assert.deepEqual(choose(split, 'q8').slice(2), [
      'onnx/decoder_model_quantized.onnx',
      'onnx/decoder_with_past_model_quantized.onnx',
      'onnx/encoder_model_quantized.onnx',
    ]);
  });

  it('takes external data by the names that exporters give them, and none of another graph', () => {
    const graphs = ['onnx/model.onnx', 'onnx/model_fp16.onnx'];
    const data = [
      'onnx/model.onnx_data',
      'onnx/model.onnx_data_1',
      'onnx/model.onnx.data',
      'onnx/model_fp16.onnx_data',
    ];
    assert.deepEqual(choose(['config.json', ...graphs, ...data], 'fp32').slice(2), [
      'onnx/model.onnx',
      'onnx/model.onnx.data',
      'onnx/model.onnx_data',
      'onnx/model.onnx_data_1',
    ]);
  });

  it('takes what sentence-transformers leaves beside, but no data sets, indexes or paths that lead out', () => {
    const kept = ['1_Pooling/config.json', 'LICENSE', 'README.md', 'config.json', 'modules.json', 'onnx/model.onnx'];
    const left = [
      '../config.json',
      '/etc/x.json',
      'a//b.json',
      'model.safetensors.index.json',
      'eval/results.json',
      'x.py',
    ];
    assert.deepEqual(choose([...kept, ...left]), ['fp32', ...kept]);
    assert.ok(!choose(['config.json', 'onnx/model.onnx'], undefined, 1e9).includes('config.json'));
  });

  it('says what is there instead', () => {
    assert.throws(
      () => choose(['sub/config.json', 'sub/onnx/model.onnx']),
      /no config\.json at its top.*It is in sub\/ there/,
    );
    assert.throws(() => choose(['config.json', 'onnx/net.onnx']), /none that is called model\.onnx.*found net\.onnx/);
    assert.throws(() => choose(['config.json', 'model.gguf']), /model\.gguf holds weights for PyTorch or others/);
    assert.throws(() => choose(['config.json']), /no ONNX files; found config\.json/);
  });
});

describe('reading a source', () => {
  it('tells the Hub and MLflow apart', () => {
    assert.deepEqual(readSource('org/bert-NER'), { kind: 'hub', name: 'org/bert-NER', id: 'bert-NER' });
    assert.deepEqual(readSource('https://huggingface.co/org/m'), { kind: 'hub', name: 'org/m', id: 'm' });
    assert.deepEqual(readSource('models:/my ner/3'), { kind: 'mlflow', name: 'my ner', id: 'my-ner', version: '3' });
    for (const text of ['models:/ner@champion', 'models:/ner/champion'])
      assert.deepEqual(readSource(text), { kind: 'mlflow', name: 'ner', id: 'ner', alias: 'champion' });
    for (const text of ['bert', '../x/y/z', 'models:/ner', 'models:/', '-x/y'])
      assert.throws(() => readSource(text), /is no source/, text);
  });
});
