import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Problem } from '../../../shared/problems/problem.ts';
import { skipWithoutAssets } from '../../parity/assets.ts';
import type { Row } from '../../task.ts';
import { layTextModel } from '../../testing/text-model.ts';
import contract from './contract.ts';
import pipelineFactory from './pipeline.ts';

describe('feature extraction with the vocabulary of MiniLM', { skip: skipWithoutAssets() }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vectors-'));
  });
  after(() => rm(folder, { recursive: true }));

  let models = 0;
  /** A model of vectors of 4 whose folder has these files; it gives token n the vector [n, n * n, 1, 0]. */
  const open = async (files: Record<string, unknown> = {}, tokenizer = 'all-MiniLM-L6-v2') => {
    const laid = await layTextModel(join(folder, String(++models)), {
      tokenizer: `tokenizers/${tokenizer}`,
      output: 'last_hidden_state',
      config: { architectures: ['BertModel'], max_position_embeddings: 12, hidden_size: 4, pad_token_id: 0 },
      files,
    });
    const preparing = await pipelineFactory.createPipeline(laid, 'prepare');
    const lane = await pipelineFactory.createPipeline(laid, 'lane');
    const prepare = (text: string, parameters = {}) =>
      (preparing.prepare({ kind: 'text', text }, parameters) as Row[])[0] as Row;
    const idsOf = (text: string, parameters = {}) => [...(prepare(text, parameters).tensors['input_ids']?.data ?? [])];
    const answer = (text: string, parameters = {}, width = 4) => {
      const row = prepare(text, parameters);
      const value = (at: number) => {
        const token = Math.floor(at / width);
        return [token, token * token, 1, 0][at % width] ?? 0;
      };
      const data = Float32Array.from({ length: row.length * width }, (_, at) => value(at));
      const outputs = { last_hidden_state: { type: 'float32', dims: [1, row.length, width], data } } as const;
      const [outcome] = lane.postprocess(outputs, [row]);
      if (outcome && 'problem' in outcome) return outcome.problem;
      const part = outcome?.part;
      contract.output.parse(part instanceof Float32Array ? [...part] : part, { reportInput: true });
      return part instanceof Float32Array ? [...part] : part;
    };
    return { prepare, idsOf, answer };
  };
  const pooling = (config: object) => ({ '1_Pooling/config.json': config });

  it('pools as the folder says, by its mean where it says nothing, and otherwise when asked', async () => {
    // [CLS] one two three [SEP]: tokens 0 to 4.
    const text = 'one two three';
    assert.deepEqual((await open()).answer(text), [2, 6, 1, 0]);
    const cls = await open(pooling({ pooling_mode_cls_token: true }));
    assert.deepEqual(cls.answer(text), [0, 0, 1, 0]);
    assert.deepEqual(cls.answer(text, { pooling: 'last' }), [4, 16, 1, 0]);
    assert.deepEqual((await open(pooling({ pooling_mode_lasttoken: true }))).answer(text), [4, 16, 1, 0]);
    assert.deepEqual((await open(pooling({ pooling_mode: 'max' }))).answer(text), [4, 16, 1, 0]);
  });

  it('gives float32 numbers as base64, and the tokens it read, when asked', async () => {
    const model = await open();
    const encoded = model.answer('one two three', { encoding_format: 'base64' });
    assert.equal(encoded, Buffer.from(Float32Array.of(2, 6, 1, 0).buffer).toString('base64'));
    const counted = model.answer('one two three', { encoding_format: 'base64', return_tokens: true });
    assert.deepEqual(counted, { embedding: encoded, tokens: 5 });
  });

  it('shortens to `dimensions` and scales again, and refuses more than there are, even unknown to the config', async () => {
    const model = await open();
    const length = Math.hypot(2, 6);
    const short = model.answer('one two three', { dimensions: 2 }) as number[];
    assert.ok(Math.abs((short[0] ?? 0) - 2 / length) < 1e-6 && Math.abs((short[1] ?? 0) - 6 / length) < 1e-6);
    assert.deepEqual(model.answer('one two three', { dimensions: 2, normalize: false }), [2, 6]);
    assert.throws(() => model.prepare('one', { dimensions: 5 }), /`dimensions` is 5; this model's vectors have 4/);
    const refused = model.answer('one two three', { dimensions: 4 }, 3) as { detail: string };
    assert.match(refused.detail, /`dimensions` is 4; this model's vectors have 3/);
  });

  it('puts a prompt before the text: by name, in words, or as the model does unasked', async () => {
    const prompts = { query: 'search: ', document: '' };
    const model = await open({ 'config_sentence_transformers.json': { prompts, default_prompt_name: null } });
    const plain = model.idsOf('one');
    const searched = model.idsOf('search: one');
    assert.deepEqual(model.idsOf('one', { prompt_name: 'query' }), searched);
    assert.deepEqual(model.idsOf('one', { prompt_name: 'document' }), plain);
    assert.deepEqual(model.idsOf('one', { prompt: 'search: ', prompt_name: 'document' }), searched);
    const named = await open({ 'config_sentence_transformers.json': { prompts, default_prompt_name: 'query' } });
    assert.deepEqual(named.idsOf('one'), searched);
    assert.deepEqual(named.idsOf('one', { prompt: '' }), plain);
  });

  it('refuses a prompt that the model does not have, naming those that it has', async () => {
    const fault = async (files: Record<string, unknown>) => {
      const model = await open(files);
      try {
        model.prepare('one', { prompt_name: 'passage' });
      } catch (error) {
        return error as Problem;
      }
      return assert.fail('taken');
    };
    const { detail, errors } = await fault({
      'config_sentence_transformers.json': { prompts: { query: 'q', doc: 'd' } },
    });
    assert.match(detail, /`prompt_name` is "passage"; this model has query, doc/);
    assert.equal(errors?.[0]?.pointer, '/parameters/prompt_name');
    assert.match((await fault({})).detail, /names no prompts; send the words as `prompt`/);
  });

  it('leaves a prompt out of the mean where the model was trained so, but not out of the tokens', async () => {
    const model = await open(pooling({ pooling_mode_mean_tokens: true, include_prompt: false }));
    // [CLS] search : one two [SEP]: what is pooled are tokens 3 to 5.
    assert.deepEqual(model.answer('one two', { prompt: 'search: ' }), [4, Math.fround(50 / 3), 1, 0]);
    assert.deepEqual(model.answer('one two', { prompt: 'search: ', pooling: 'cls' }), [0, 0, 1, 0]);
    assert.equal(model.prepare('one two', { prompt: 'search: ' }).length, 6);
  });

  it('cuts a long text at either end when told, and keeps the special tokens', async () => {
    const model = await open();
    const words = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'alpha', 'beta'];
    const ids = words.map((word) => model.idsOf(word)[1]);
    assert.throws(() => model.prepare(words.join(' ')), /14 tokens; this model takes 12/);
    assert.deepEqual(model.idsOf(words.join(' '), { truncate: true }), [101, ...ids.slice(0, 10), 102]);
    const left = { truncate: true, truncation_direction: 'left' };
    assert.deepEqual(model.idsOf(words.join(' '), left), [101, ...ids.slice(2), 102]);
  });

  it('lowers letters where sentence-transformers would', async () => {
    const settings = { 'sentence_bert_config.json': { do_lower_case: true, max_seq_length: 8 } };
    const lowering = await open(settings, 'whisper-tiny-phowhisper');
    assert.deepEqual(lowering.idsOf('ONE Two'), lowering.idsOf('one two'));
    assert.notDeepEqual((await open({}, 'whisper-tiny-phowhisper')).idsOf('ONE Two'), lowering.idsOf('one two'));
    assert.throws(() => lowering.prepare('one two three four five six seven'), /tokens; this model takes 8/);
  });
});
