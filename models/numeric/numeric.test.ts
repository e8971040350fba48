import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bestSymbols, type CtcVocabulary, collapseRuns, toCharacters, toWords } from './ctc-decode.ts';
import { greatest } from './greatest.ts';
import { normalizeLength, pool } from './pooling.ts';
import { rankByCosine } from './rank-by-cosine.ts';
import { argmax, isFiniteAll, roundScore, sigmoid, softmax } from './softmax.ts';

const near = (actual: number, expected: number, tolerance = 1e-6) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);

describe('scores', () => {
  it('sum to one and keep order, for logits of any size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 50 }),
        (logits) => {
          const scores = softmax(logits);
          near(
            scores.reduce((sum, score) => sum + score, 0),
            1,
          );
          assert.equal(scores[argmax(logits)], Math.max(...scores));
        },
      ),
    );
  });

  it('match known values', () => {
    near(softmax([1, 2, 3])[2] ?? 0, 0.665240956);
    near(sigmoid([0])[0] ?? 0, 0.5);
    assert.equal(argmax([]), -1);
    assert.equal(argmax([1, 5, 5]), 1);
    assert.equal(roundScore(0.123456), 0.12346);
  });

  it('see NaN and infinity anywhere', () => {
    assert.equal(isFiniteAll(Float32Array.of(1, 2)), true);
    assert.equal(isFiniteAll(Float32Array.of(1, Number.NaN)), false);
    assert.equal(isFiniteAll(Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)), false);
  });
});

describe('the greatest of many values', () => {
  it('are those that a sort would put first, ties by index', () => {
    const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(Number.NEGATIVE_INFINITY)), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(values, fc.nat(100), (some, count) => {
        const all = some.map((value, index) => ({ value, index }));
        all.sort((a, b) => (a.value === b.value ? a.index - b.index : a.value < b.value ? 1 : -1));
        assert.deepEqual(
          greatest(some, count),
          all.slice(0, count).map(({ index }) => index),
        );
      }),
    );
  });
});

describe('pooling', () => {
  const hidden = Float32Array.of(1, -2, 3, 4, 5, 6);
  it('takes the mean, the first, the last or the greatest of the tokens', () => {
    assert.deepEqual([...pool(hidden, 2, 'mean')], [3, Math.fround(8 / 3)]);
    assert.deepEqual([...pool(hidden, 2, 'cls')], [1, -2]);
    assert.deepEqual([...pool(hidden, 2, 'last')], [5, 6]);
    assert.deepEqual([...pool(hidden, 2, 'max')], [5, 6]);
    near(pool(hidden, 2, 'mean-sqrt-length')[0] ?? 0, 9 / Math.sqrt(3));
  });

  it('counts every token once, however many there are', () => {
    for (let tokens = 1; tokens <= 9; tokens++) {
      const values = Float32Array.from({ length: 2 * tokens }, (_, at) => at ** 2);
      const sums = [0, 1].map((column) => values.filter((_, at) => at % 2 === column).reduce((a, b) => a + b));
      assert.deepEqual([...pool(values, 2, 'mean')], [...Float32Array.from(sums, (sum) => sum / tokens)]);
    }
  });

  it('scales to unit length and leaves zero alone', () => {
    assert.deepEqual([...normalizeLength(Float32Array.of(3, 4))], [Math.fround(0.6), Math.fround(0.8)]);
    assert.deepEqual([...normalizeLength(new Float32Array(2))], [0, 0]);
  });
});

describe('greedy CTC', () => {
  const vocabulary: CtcVocabulary = {
    symbols: ['<pad>', '<s>', '|', 'A', 'B'],
    blank: 0,
    delimiter: 2,
    silent: new Set([1]),
  };
  const decode = (...best: number[]) => toCharacters(collapseRuns(Int32Array.from(best), 0), vocabulary);
  const textOf = (...best: number[]) =>
    decode(...best)
      .map((character) => character.text)
      .join('');

  it('collapses runs and keeps letters apart that a blank separates', () => {
    assert.equal(textOf(3, 3, 0, 3, 4, 4), 'AAB');
    assert.equal(textOf(0, 0), '');
  });

  it('writes one space per delimiter, none at the ends, and no special symbols', () => {
    assert.equal(textOf(2, 3, 2, 0, 2, 1, 4, 2), 'A B');
  });

  it('gives frames of characters and words', () => {
    assert.deepEqual(toWords(decode(0, 3, 3, 0, 4, 2, 2, 3)), [
      { text: 'AB', start: 1, end: 5 },
      { text: 'A', start: 7, end: 8 },
    ]);
  });

  it('finds the best symbol of each frame', () => {
    assert.deepEqual([...bestSymbols(Float32Array.of(0, 2, 1, 5, 4, 3), 3)], [1, 0]);
  });
});

describe('nearness', () => {
  it('goes by direction, not by length', () => {
    const others = [
      [0, 1],
      [2, 0.1],
      [-1, 0],
    ];
    assert.deepEqual(
      rankByCosine([1, 0], others).map(({ index }) => index),
      [1, 0, 2],
    );
    near(rankByCosine([3, 0], [[5, 0]])[0]?.cosine ?? 0, 1);
  });
});
