import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { smallModels } from '../../../parity/expected.ts';
import type { ModelFiles } from '../../../repository/model-files.ts';
import { readAlignment } from './alignment-heads.ts';
import type { WrittenWindow } from './decoding-plan.ts';
import { mergeWindows, type WindowTokens } from './merge-windows.ts';
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
  const place = { start: 10, seconds: 0.12, overlapLeft: 0, overlapRight: 0, language: 'en' };
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
    // Only six of the ten frames are sound, and the other head says otherwise.
    for (const [token, frame] of [
      [3, 0],
      [3, 1],
      [3, 9],
      [4, 2],
      [4, 3],
      [4, 4],
      [4, 5],
    ] as const)
      look(token, frame);
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

describe('times of tokens in joined windows', () => {
  const tokens = {
    end: 20,
    start: 21,
    startOfPrevious: 23,
    noSpeech: 24,
    noTimestamps: 25,
    firstTimestamp: 26,
    multilingual: null,
  };
  const options = { tokens, secondsPerTimestamp: 0.02, hasTimestamps: true };
  const times = (...ends: number[]) => ends.map((end, at) => ({ start: ends[at - 1] ?? 0, end, probability: 1 }));
  const first: WindowTokens = {
    ids: [26, 1, 2, 3, 4],
    times: times(0, 1, 2, 3, 4),
    language: 'en',
    start: 0,
    seconds: 6,
    overlapLeft: 0,
    overlapRight: 4,
  };

  it('are those of the recording, each from the window that is believed', () => {
    const second = {
      ...first,
      ids: [26, 3, 4, 5],
      times: times(0, 1, 2, 3),
      start: 2,
      overlapLeft: 4,
      overlapRight: 0,
    };
    const [segment] = mergeWindows([first, second], options);
    assert.deepEqual(segment?.ids, [1, 2, 3, 4, 5]);
    assert.deepEqual(
      segment?.times?.map(({ end }) => end),
      [1, 2, 3, 4, 5],
    );
  });

  it('keep apart the same words said twice', () => {
    // Were it the same speech, the later window could not have heard it earlier.
    const second = {
      ...first,
      ids: [26, 3, 4, 5],
      times: times(0, 0.2, 0.4, 0.6),
      start: 2,
      overlapLeft: 4,
      overlapRight: 0,
    };
    assert.deepEqual(mergeWindows([first, second], options)[0]?.ids, [1, 2, 3, 4, 3, 4, 5]);
  });

  it('are none where a window has none', () => {
    const { times: _, ...untimed } = first;
    assert.equal(mergeWindows([untimed], options)[0]?.times, undefined);
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
