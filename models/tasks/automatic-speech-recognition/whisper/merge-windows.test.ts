import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { joinOverlapping } from './longest-common.ts';
import { mergeWindows, type WindowTokens } from './merge-windows.ts';

interface MergeCase {
  readonly timed: boolean;
  readonly windows: readonly Omit<WindowTokens, 'language'>[];
  readonly chunks: readonly (readonly [number | null, number | null, string])[];
}

/** By transformers' `_decode_asr`: parity/reference/whisper_pieces.py. */
const reference = JSON.parse(readFileSync(join(import.meta.dirname, 'whisper.reference.json'), 'utf8')) as {
  merges: readonly MergeCase[];
};
const tokens = {
  end: 20,
  start: 21,
  startOfPrevious: 23,
  noSpeech: 24,
  noTimestamps: 25,
  firstTimestamp: 26,
  multilingual: null,
};
const optionsFor = (hasTimestamps: boolean) => ({ tokens, secondsPerTimestamp: 0.02, hasTimestamps });
const at = (seconds: number) => tokens.firstTimestamp + Math.round(seconds * 50);
const windowOf = (ids: readonly number[], start: number, seconds: number, rest: Partial<WindowTokens> = {}) => ({
  ids,
  language: 'en',
  start,
  seconds,
  overlapLeft: 0,
  overlapRight: 0,
  ...rest,
});

describe('joining windows', () => {
  it('gives the segments of transformers, from what overlapping windows heard with mistakes', () => {
    for (const [index, { timed, windows, chunks }] of reference.merges.entries()) {
      const merged = mergeWindows(
        windows.map((window) => ({ ...window, language: 'en' })),
        optionsFor(timed),
      );
      const found = timed
        ? merged.map(({ start, end, ids }) => [start, end, ids.join(',')])
        : [[null, null, merged.flatMap(({ ids }) => ids).join(',')]];
      assert.deepEqual(found, chunks, `case ${index}`);
    }
  });

  it('does not search windows that were cut in a pause for what they have in common', () => {
    const windows = [
      windowOf([at(0), 1, 2, 3, at(4)], 0, 5),
      windowOf([at(0), 1, 2, 3, at(2)], 5, 3),
      windowOf([at(0), 1, 2], 8, 2),
    ];
    assert.deepEqual(mergeWindows(windows, optionsFor(true)), [
      { start: 0, end: 4, ids: [1, 2, 3], firstWindow: 0, window: 0 },
      { start: 5, end: 7, ids: [1, 2, 3], firstWindow: 1, window: 1 },
      { start: 8, end: null, ids: [1, 2], firstWindow: 2, window: 2 },
    ]);
  });

  it('begins a new segment where the language changes and there are no timestamps', () => {
    const overlap = { overlapLeft: 1, overlapRight: 1 };
    const windows = [windowOf([1, 2, 3], 0, 5, overlap), windowOf([2, 3, 4], 3, 5, { overlapLeft: 1, language: 'ru' })];
    assert.deepEqual(
      mergeWindows(windows, optionsFor(false)).map(({ ids }) => ids),
      [
        [1, 2, 3],
        [2, 3, 4],
      ],
    );
  });

  it('knows where a text without times began', () => {
    const windows = [windowOf([1, 2, 3], 0, 5, { overlapRight: 1 }), windowOf([2, 3, 4], 3, 5, { overlapLeft: 1 })];
    assert.deepEqual(mergeWindows(windows, optionsFor(true)), [
      { start: null, end: null, ids: [1, 2, 3, 4], firstWindow: 0, window: 1 },
    ]);
  });

  it('says nothing of windows that say nothing', () => {
    assert.deepEqual(mergeWindows([windowOf([], 0, 5), windowOf([at(0)], 5, 5)], optionsFor(true)), []);
  });
});

describe('the longest common sequence', () => {
  it('is found in spite of a mistake, and taken from either half by whoever hears better', () => {
    assert.deepEqual(
      joinOverlapping([
        [1, 2, 3, 4, 5, 6, 99],
        [3, 4, 5, 6, 7, 8],
      ]),
      [1, 2, 3, 4, 5, 6, 7, 8],
    );
    assert.deepEqual(
      joinOverlapping([
        [1, 2],
        [3, 4],
        [4, 4],
      ]),
      [1, 2, 3, 4, 4, 4],
      'one match is none',
    );
    assert.deepEqual(joinOverlapping([]), []);
  });
});

describe('times of tokens in joined windows', () => {
  const times = (...ends: number[]) => ends.map((end, at) => ({ start: ends[at - 1] ?? 0, end, probability: 1 }));
  const first = windowOf([at(0), 1, 2, 3, 4], 0, 6, { times: times(0, 1, 2, 3, 4), overlapRight: 4 });
  const heardAgain = (...ends: number[]) => windowOf([at(0), 3, 4, 5], 2, 6, { times: times(...ends), overlapLeft: 4 });

  it('are those of the recording, each from the window that is believed', () => {
    const [segment] = mergeWindows([first, heardAgain(0, 1, 2, 3)], optionsFor(true));
    assert.deepEqual(segment?.ids, [1, 2, 3, 4, 5]);
    assert.deepEqual(
      segment?.times?.map(({ end }) => end),
      [1, 2, 3, 4, 5],
    );
  });

  it('keep apart the same words said twice', () => {
    // Were it the same speech, the later window could not have heard it earlier.
    const [segment] = mergeWindows([first, heardAgain(0, 0.2, 0.4, 0.6)], optionsFor(true));
    assert.deepEqual(segment?.ids, [1, 2, 3, 4, 3, 4, 5]);
  });

  it('are none where a window has none', () => {
    const untimed = windowOf(first.ids, 0, 6);
    assert.equal(mergeWindows([untimed], optionsFor(true))[0]?.times, undefined);
  });
});
