import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { constrainLogits, type DecodingRules } from './decoding-rules.ts';

interface RuleCase {
  readonly written: readonly number[];
  readonly latest: number | null;
  readonly logits: readonly number[];
  readonly allowed: readonly number[];
}

/** By transformers' WhisperTimeStampLogitsProcessor: parity/reference/whisper_pieces.py, which has the small vocabulary too. */
const reference = JSON.parse(readFileSync(join(import.meta.dirname, 'whisper.reference.json'), 'utf8')) as {
  rules: readonly RuleCase[];
};
const tokens = {
  end: 20,
  start: 21,
  startOfPrevious: 23,
  noSpeech: 24,
  noTimestamps: 25,
  firstTimestamp: 26,
  multilingual: { languages: new Map([['en', 22]]), transcribe: 23, translate: 24 },
};
const rules: DecodingRules = {
  tokens,
  forced: [],
  hasTimestamps: false,
  suppressed: [],
  suppressedFirst: [],
  firstTimestampMax: null,
};
const allowedAfter = (wish: Partial<DecodingRules>, logits: Float32Array, written: readonly number[]) => {
  const changed = logits.slice();
  constrainLogits({ ...rules, ...wish }, changed, written);
  return [...changed.keys()].filter((id) => changed[id] !== Number.NEGATIVE_INFINITY);
};

describe('what Whisper may write next', () => {
  it('follows the rules of timestamps as transformers does', () => {
    for (const { written, latest, logits, allowed } of reference.rules) {
      const scores = Float32Array.from(logits, (hundredths) => hundredths / 100);
      const found = allowedAfter({ hasTimestamps: true, firstTimestampMax: latest }, scores, written);
      assert.deepEqual(found, allowed, `after ${written.join(' ')}`);
    }
  });

  it('is what is forced, and then the likeliest language, whatever is suppressed', () => {
    const logits = Float32Array.from({ length: 40 }, (_, id) => id);
    const wish = { forced: [{ anyOf: [3, 7, 5] }, 23], suppressed: [7, 23], hasTimestamps: true };
    assert.deepEqual(allowedAfter(wish, logits, []), [7]);
    assert.deepEqual(allowedAfter(wish, logits, [7]), [23]);
    assert.deepEqual(allowedAfter(wish, logits, [7, 23]).at(0), 26, 'timestamps count from behind the forced tokens');
  });

  it('is never what is suppressed, nor at the beginning what is suppressed there', () => {
    const logits = new Float32Array(8);
    const wish = { suppressed: [1, 2], suppressedFirst: [4], forced: [6] };
    assert.deepEqual(allowedAfter(wish, logits, [6]), [0, 3, 5, 6, 7]);
    assert.deepEqual(allowedAfter(wish, logits, [6, 0]), [0, 3, 4, 5, 6, 7]);
  });
});
