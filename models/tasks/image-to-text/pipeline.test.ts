import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { createDecoder } from '../../generation/create-decoder.ts';
import { tinyFolder, writeAll } from '../../generation/testing/tiny-model.ts';
import { openEngine } from '../../parity/onnx-engine.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import type { GenerativePipeline, Row } from '../../task.ts';
import { modelFiles } from '../../testing/model-files.ts';
import pipelineFactory from './pipeline.ts';

const filesOf = (layout: 'stock' | 'slots'): ModelFiles =>
  modelFiles({ id: 'tiny', task: 'image-to-text', versionFolder: join(tinyFolder, layout) });

describe('image to text', () => {
  let folder: string;
  let picture: string;
  let preparing: GenerativePipeline;
  let lane: GenerativePipeline;
  let merging: GenerativePipeline;
  let engine: Awaited<ReturnType<typeof openEngine>>;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'picture-'));
    picture = join(folder, 'picture.png');
    const pixels = Buffer.from(Array.from({ length: 40 * 30 * 3 }, (_, at) => (at * 37) % 251));
    await sharp(pixels, { raw: { width: 40, height: 30, channels: 3 } })
      .png()
      .toFile(picture);
    preparing = await pipelineFactory.createPipeline(filesOf('stock'), 'prepare');
    lane = await pipelineFactory.createPipeline(filesOf('stock'), 'lane');
    merging = await pipelineFactory.createPipeline(filesOf('stock'), 'merge');
    engine = await openEngine(filesOf('stock').versionFolder, lane.sessions);
  });
  after(async () => {
    await engine.release();
    await rm(folder, { recursive: true });
  });

  const prepare = async (parameters: object): Promise<Row> => {
    const rows = await preparing.prepare({ kind: 'file', path: picture, type: 'image/png' }, { ...parameters });
    return structuredClone(rows[0] as Row);
  };
  const answer = async (parameters: object = {}) => {
    const row = await prepare(parameters);
    const [part] = await writeAll(createDecoder(engine, lane.generation, Object.keys(lane.sessions)), [row]);
    return merging.merge([part], [row.context]) as {
      generated_text: string;
      finish_reason: string;
      formatted?: { error?: { line: number } };
    };
  };

  it('prefers the graph that decodes fastest, ours for slots before the stock ones', async () => {
    assert.equal(lane.sessions['decoder'], 'onnx/decoder_model_merged.onnx');
    const slots = await pipelineFactory.createPipeline(filesOf('slots'), 'lane');
    assert.equal(slots.sessions['decoder'], 'onnx/decoder_slots_model.onnx');
  });

  it('writes until the stop token or the longest text, whichever comes first', async () => {
    const whole = await answer();
    assert.match(whole.generated_text, /^w\d+( w\d+)+$/);
    const two = await answer({ max_new_tokens: 2 });
    assert.deepEqual(two, { generated_text: whole.generated_text.split(' ', 2).join(' '), finish_reason: 'length' });
  });

  it('ends at a stop text, and cuts it off', async () => {
    const { generated_text } = await answer();
    const [first, second] = generated_text.split(' ');
    const stopped = await answer({ stop: ['nowhere', ` ${second}`] });
    assert.deepEqual(stopped, { generated_text: first, finish_reason: 'stop' });
  });

  it('goes on from a prompt, which is no part of the text', async () => {
    const row = await prepare({ prompt: 'w5 w9' });
    assert.deepEqual(lane.generation.begin(row, 0).promptIds, [1, 8, 12]);
    const prompted = await answer({ prompt: 'w5 w9', max_new_tokens: 3 });
    assert.doesNotMatch(prompted.generated_text, /^w5 w9/);
    assert.notEqual(prompted.generated_text, (await answer({ max_new_tokens: 3 })).generated_text);
  });

  it('draws by seed, and searches beams, when asked to', async () => {
    const drawn = (seed: number) => answer({ temperature: 1.5, seed });
    assert.deepEqual(await drawn(1), await drawn(1));
    const texts = await Promise.all([1, 2, 3].map(drawn));
    assert.ok(new Set(texts.map(({ generated_text }) => generated_text)).size > 1);
    assert.equal(lane.generation.begin(await prepare({ num_beams: 4 }), 0).sampling.beams, 4);
    assert.ok((await answer({ num_beams: 4 })).generated_text.length > 0);
  });

  it('reads the text as a diagram when asked to; a text that is none says where', async () => {
    const { formatted } = await answer({ format: 'mermaid' });
    assert.equal(formatted?.error?.line, 1);
    assert.equal((await answer({ format: 'text' })).formatted, undefined);
  });

  it('takes lengths from generation_config.json, not those that config.json carries for its decoder', async () => {
    assert.equal(lane.generation.begin(await prepare({}), 0).tokensMax, 40);
    assert.equal(lane.generation.positionsMax, 64);
  });

  it('writes its canary', async () => {
    const parts = await writeAll(createDecoder(engine, lane.generation, Object.keys(lane.sessions)), lane.canary.rows);
    assert.equal(parts.length, 1);
  });
});
