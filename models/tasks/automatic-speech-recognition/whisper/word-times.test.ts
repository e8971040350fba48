import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { smallModels } from '../../../parity/expected.ts';
import type { ModelFiles } from '../../../repository/model-files.ts';
import { readAlignment } from './alignment-heads.ts';
import type { WrittenWindow } from './decoding-plan.ts';
import type { WhisperFiles } from './whisper-files.ts';
import { keepWithinSegment, reviewWindow, usualWordSeconds } from './word-times.ts';

const word = (text: string, start: number, end: number) => ({ text, start, end, probability: 1 });

describe('words at the ends of a segment', () => {
  const words = [word(' one', 0, 2.4), word(' two', 2.4, 2.8), word(' three', 2.8, 6)];

  it('give back the pause that lies outside it', () => {
    const kept = keepWithinSegment(words, { start: 2, end: 3.4 }, 0.4);
    assert.deepEqual(
      kept.map(({ start, end }) => [start, end]),
      [
        [2, 2.4],
        [2.4, 2.8],
        [2.8, 3.4],
      ],
    );
  });

  it('stay as they are where the segment has no time, or is half a second away at most', () => {
    assert.deepEqual(keepWithinSegment(words, { start: null, end: null }, 0.4), words);
    assert.deepEqual(keepWithinSegment(words, { start: 0.5, end: 5.5 }, 0.4), words);
    assert.deepEqual(keepWithinSegment([], { start: 0, end: 1 }, 0.4), []);
  });

  it('are left as long as a usual word', () => {
    assert.equal(keepWithinSegment(words, { start: 2.3, end: 9 }, 0.4)[0]?.start, 2);
    assert.equal(usualWordSeconds([...words, word(' none', 6, 6)]), 0.7, 'more than 0.7 s is not usual');
    assert.equal(usualWordSeconds([word('a', 0, 0.2), word('b', 0.2, 0.6)]).toFixed(3), '0.300');
    assert.equal(usualWordSeconds([]), 0);
  });
});

describe('looking back on a window', () => {
  const files = { mel: { sampleRate: 100, hop: 1 }, secondsPerTimestamp: 0.02 } as unknown as WhisperFiles;
  const alignment = { heads: [{ output: 'cross_attentions.1', head: 1 }], medianWidth: 1 };
  const place = { start: 10, seconds: 0.08, overlapLeft: 0, overlapRight: 0, language: 'en' };
  const window: WrittenWindow = {
    tokens: { ...place, ids: [7, 8] },
    temperature: 0,
    avgLogProb: -1,
    compressionRatio: 1,
    noSpeechProb: 0,
  };
  // A forced token, then text: the first is no word.
  const written = { ids: [5, 7, 8], logProbs: Float32Array.of(0, -1, -2, -3), reason: 'stop' } as const;

  it('feeds prompt and text, and times the text by one head, within the frames that were heard', () => {
    const { ids, outputs, conclude } = reviewWindow(window, written, [1, 2], alignment, files);
    assert.deepEqual([ids, outputs], [[1, 2, 5, 7, 8], ['cross_attentions.1']]);
    const [heads, fed, frames] = [2, 5, 10];
    const data = new Float32Array(heads * fed * frames).fill(0.01);
    const look = (token: number, frame: number) => {
      data[(fed + token) * frames + frame] = 1;
    };
    // Only four of the ten frames are sound: behind them, and by the other head, it would be otherwise.
    for (const frame of [0, 1, 4, 5, 6, 7, 8, 9]) look(3, frame);
    for (const frame of [2, 3]) look(4, frame);
    data[4 * frames] = 1;
    const outcome = conclude({ 'cross_attentions.1': { type: 'float32', dims: [1, heads, fed, frames], data } });
    const { tokens } = (outcome as { part: WrittenWindow }).part;
    assert.deepEqual(
      tokens.times?.map(({ start, end }) => [start, end]),
      [
        [0, 0],
        [0, 0.04],
      ],
    );
    assert.ok(Math.abs((tokens.times?.[1]?.probability ?? 0) - Math.exp(-2)) < 1e-6);
  });

  it('says which head the graph does not give', () => {
    const { conclude } = reviewWindow(window, written, [1, 2], alignment, files);
    assert.throws(() => conclude({}), /no head 1 of "cross_attentions\.1"/);
  });
});

describe('whether a model can time words', () => {
  const filesOf = (versionFolder: string): ModelFiles => ({ id: 'w', dtype: 'fp32', versionFolder }) as ModelFiles;
  const heads = {
    alignment_heads: [
      [1, 0],
      [0, 1],
    ],
  };

  it('follows from its heads and its graph', () => {
    const timestamped = filesOf(join(smallModels, 'whisper-tiny_timestamped'));
    assert.deepEqual(readAlignment(timestamped, heads, {}), {
      heads: [
        { output: 'cross_attentions.1', head: 0 },
        { output: 'cross_attentions.0', head: 1 },
      ],
      medianWidth: 7,
    });
    assert.match(JSON.stringify(readAlignment(timestamped, {}, {})), /names no alignment_heads/);
    const stock = filesOf(join(smallModels, 'whisper-tiny'));
    assert.match(
      JSON.stringify(readAlignment(stock, heads, {})),
      /decoder_model_merged\.onnx does not give .*_timestamped/,
    );
  });
});
