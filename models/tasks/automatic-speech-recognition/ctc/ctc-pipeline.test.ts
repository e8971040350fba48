import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { scanRepository } from '../../../repository/scan-repository.ts';
import { readConfig } from '../../../repository/version-files.ts';
import type { CallPipeline, Row } from '../../../task.ts';
import { createCtcPipeline } from './ctc-pipeline.ts';

const vocabulary = { '<pad>': 0, '<s>': 1, '</s>': 2, '<unk>': 3, '|': 4, A: 5, B: 6, C: 7, D: 8 };
const width = Object.keys(vocabulary).length;
const wav2vec2 = { conv_kernel: [10, 3, 3, 3, 3, 2, 2], conv_stride: [5, 2, 2, 2, 2, 2, 2] };

function graphWith(inputs: readonly string[]): Buffer {
  const field = (number: number, content: Buffer) =>
    Buffer.concat([Buffer.from([number * 8 + 2, content.length]), content]);
  return field(7, Buffer.concat(inputs.map((name) => field(11, field(1, Buffer.from(name))))));
}

describe('speech recognition with CTC', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'asr-'));
  });
  after(() => rm(folder, { recursive: true }));

  const create = async (id: string, norm: 'group' | 'layer', inputs: readonly string[]) => {
    const model = join(folder, 'models', id);
    await mkdir(join(model, 'onnx'), { recursive: true });
    await writeFile(join(model, 'onnx', 'model.onnx'), graphWith(inputs));
    await writeFile(join(model, 'vocab.json'), JSON.stringify(vocabulary));
    await writeFile(
      join(model, 'preprocessor_config.json'),
      JSON.stringify({ sampling_rate: 16_000, do_normalize: true }),
    );
    await writeFile(
      join(model, 'config.json'),
      JSON.stringify({ architectures: ['Wav2Vec2ForCTC'], feat_extract_norm: norm, ...wav2vec2 }),
    );
    const files = (await scanRepository([join(folder, 'models')])).models.find((found) => found.id === id);
    assert.ok(files);
    const config = await readConfig(files);
    const make = (use: 'prepare' | 'lane' | 'merge') => createCtcPipeline(files, config, use);
    return { preparing: await make('prepare'), lane: await make('lane'), merging: await make('merge') };
  };
  const noise = async (seconds: number) => {
    const path = join(folder, `noise${seconds}.wav`);
    await promisify(execFile)('ffmpeg', [
      '-v',
      'error',
      '-y',
      '-nostdin',
      '-f',
      'lavfi',
      '-i',
      `anoisesrc=r=16000:d=${seconds}`,
      path,
    ]);
    return path;
  };
  const prepare = async (pipeline: CallPipeline, path: string, parameters = {}) =>
    pipeline.prepare({ kind: 'file', path, type: 'audio/wav' }, parameters);
  /** Logits whose best symbol at a frame is what `symbolAt` says. */
  const logitsFor = (frames: number, symbolAt: (frame: number) => number) => {
    const data = new Float32Array(frames * width);
    for (let frame = 0; frame < frames; frame++) data[frame * width + symbolAt(frame)] = 9;
    return { type: 'float32', dims: [1, frames, width], data } as const;
  };
  const partOf = (pipeline: CallPipeline, row: Row, frames: number, symbolAt: (frame: number) => number) => {
    const [outcome] = pipeline.postprocess({ logits: logitsFor(frames, symbolAt) }, [row]);
    assert.ok(outcome && 'part' in outcome);
    return outcome.part;
  };

  const contextsOf = (rows: readonly Row[]) => rows.map(({ context }) => context);

  it('pads rows with a mask for a layer-normalised model', async () => {
    const { preparing, lane } = await create('layer', 'layer', ['input_values', 'attention_mask']);
    const rows = [...(await prepare(preparing, await noise(1))), ...(await prepare(preparing, await noise(2)))];
    assert.deepEqual(
      rows.map((row) => row.shapeKey),
      ['samples', 'samples'],
    );
    const feeds = lane.collate(rows);
    assert.deepEqual(feeds['input_values']?.dims, [2, 32_000]);
    assert.equal(
      [...(feeds['attention_mask']?.data ?? [])].reduce((sum: number, bit) => sum + Number(bit), 0),
      48_000,
    );
    assert.equal(feeds['input_values']?.data[31_999 - 16_000 + 1], 0, 'padding is zeros');
  });

  it('never pads a group-normalised model, nor a graph without a mask', async () => {
    for (const [id, norm, inputs] of [
      ['group', 'group', ['input_values', 'attention_mask']],
      ['bare', 'layer', ['input_values']],
    ] as const) {
      const { preparing, lane } = await create(id, norm, inputs);
      const rows = [...(await prepare(preparing, await noise(1))), ...(await prepare(preparing, await noise(2)))];
      assert.notEqual(rows[0]?.shapeKey, rows[1]?.shapeKey, id);
      assert.deepEqual(Object.keys(lane.collate(rows.slice(0, 1))), inputs, id);
    }
  });

  it('normalises the samples and follows a very short clip with silence', async () => {
    const { preparing } = await create('short', 'layer', ['input_values', 'attention_mask']);
    const [row] = await prepare(preparing, await noise(1));
    const data = row?.tensors['input_values']?.data as Float32Array;
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    assert.ok(
      Math.abs(mean) < 1e-4 && Math.abs(data.reduce((sum, value) => sum + value * value, 0) / data.length - 1) < 1e-2,
    );
    const [short] = await prepare(preparing, await noise(0.01));
    assert.equal(short?.length, 1600);
  });

  it('cuts a long recording into windows and joins their frames to the frames of the whole', async () => {
    const { preparing, lane, merging } = await create('long', 'layer', ['input_values', 'attention_mask']);
    const rows = await prepare(preparing, await noise(45), { return_timestamps: 'word' });
    assert.deepEqual(
      rows.map((row) => row.length),
      [320_000, 320_000, 17 * 16_000],
    );
    // The whole says A at frame 500, B at 850 (a border), C at 1449, D at 1450 (the next), with delimiters between.
    const spoken = new Map([
      [500, 5],
      [600, 4],
      [850, 6],
      [1000, 4],
      [1449, 7],
      [1450, 8],
      [2200, 4],
      [2240, 5],
    ]);
    const framesOf = (row: Row) => Math.floor((row.length - 400) / 320) + 1;
    const parts = rows.map((row, index) =>
      partOf(lane, row, framesOf(row), (frame) => spoken.get(frame + index * 700) ?? 0),
    );
    const { text, chunks } = merging.merge(parts, contextsOf(rows)) as {
      text: string;
      chunks: { text: string; timestamp: number[] }[];
    };
    assert.equal(text, 'A B CD A');
    assert.deepEqual(
      chunks.map((chunk) => chunk.timestamp),
      [
        [10, 10.02],
        [17, 17.02],
        [28.98, 29.02],
        [44.8, 44.82],
      ],
    );
  });

  it('ignores frames that are padding, and gives times of characters', async () => {
    const { preparing, lane, merging } = await create('times', 'layer', ['input_values', 'attention_mask']);
    const [row] = await prepare(preparing, await noise(1), { return_timestamps: 'char' });
    assert.ok(row);
    const part = partOf(lane, row, 80, (frame) => (frame === 10 ? 5 : frame > 48 ? 6 : 0));
    assert.deepEqual(merging.merge([part], contextsOf([row])), {
      text: 'A',
      chunks: [{ text: 'A', timestamp: [0.2, 0.22] }],
    });
  });

  it('gives segments that end at pauses, with the symbols of each, as verbose JSON', async () => {
    const { preparing, lane, merging } = await create('verbose', 'layer', ['input_values', 'attention_mask']);
    const wish = { response_format: 'verbose_json', return_timestamps: 'word' };
    const [row] = await prepare(preparing, await noise(2), wish);
    assert.ok(row);
    // A at 0.2 s and B at 0.6 s are one segment, C at 1.6 s is the next.
    const spoken = new Map([
      [10, 5],
      [20, 4],
      [30, 6],
      [50, 4],
      [80, 7],
    ]);
    const part = partOf(lane, row, 99, (frame) => spoken.get(frame) ?? 0);
    const output = merging.merge([part], contextsOf([row])) as {
      duration: number;
      segments: { text: string; start: number; end: number; tokens: number[]; avg_logprob: null }[];
      words: unknown[];
    };
    assert.equal(output.duration, 2);
    assert.deepEqual(
      output.segments.map(({ text, start, end, tokens }) => ({ text, start, end, tokens })),
      [
        { text: 'A B', start: 0.2, end: 0.62, tokens: [5, 4, 6] },
        { text: 'C', start: 1.6, end: 1.62, tokens: [4, 7] },
      ],
    );
    assert.equal(output.segments[0]?.avg_logprob, null);
    assert.deepEqual(output.words[0], { word: 'A', start: 0.2, end: 0.22 });
  });

  it('refuses to translate', async () => {
    const { preparing } = await create('translate', 'layer', ['input_values', 'attention_mask']);
    await assert.rejects(prepare(preparing, await noise(1), { task: 'translate' }), /validation-failed.*not translate/);
  });

  it('names what it expected of a model of another family', async () => {
    await assert.rejects(
      create('mel', 'layer', ['input_features']),
      /not of the wav2vec2 family.*found inputs input_features/,
    );
  });
});
