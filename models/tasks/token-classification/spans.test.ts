import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toTags } from './bio-tags.ts';
import { type SpanContext, tokenKind, toSpans } from './spans.ts';

const labels = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'];

/** One token per entry: text, label, score; "##" marks a subword. Tokens stand in the text in order. */
type Parts = readonly (readonly [string, string, number])[];
function layOut(text: string, parts: Parts, more: Partial<SpanContext> = {}) {
  let at = 0;
  const ranges = parts.map(([part]) => {
    const word = part.replace('##', '');
    const start = text.indexOf(word, at);
    at = start + word.length;
    return { start, end: at };
  });
  const context: SpanContext = {
    text,
    starts: Int32Array.from([0, ...ranges.map((range) => range.start), 0]),
    ends: Int32Array.from([0, ...ranges.map((range) => range.end), 0]),
    kinds: Uint8Array.from([
      tokenKind.special,
      ...parts.map(([part]) => (part.startsWith('##') ? 1 : 0)),
      tokenKind.special,
    ]),
    strategy: 'simple',
    offsets: 'code-point',
    ignore: ['O'],
    format: 'spans',
    ...more,
  };
  const scoresOf = (label: string, score: number) =>
    labels.map((other) => (other === label ? score : (1 - score) / (labels.length - 1)));
  const scores = [
    scoresOf('B-PER', 0.9),
    ...parts.map(([, label, score]) => scoresOf(label, score)),
    scoresOf('B-PER', 0.9),
  ];
  return { scores: { data: Float32Array.from(scores.flat()), width: labels.length }, context };
}

function tokens(...laid: Parameters<typeof layOut>) {
  const { scores, context } = layOut(...laid);
  return toSpans(scores, labels, context);
}

function tags(...laid: Parameters<typeof layOut>) {
  const { scores, context } = layOut(...laid);
  return toTags(scores, labels, context).map(({ start_index, end_index, entity }) => [start_index, end_index, entity]);
}

describe('joining tokens to spans', () => {
  const ada = [
    ['Ada', 'B-PER', 0.9],
    ['Love', 'I-PER', 0.8],
    ['##lace', 'I-LOC', 0.6],
    ['in', 'O', 0.9],
    ['London', 'B-LOC', 0.7],
  ] as const;
  const text = 'Ada Lovelace in London';

  it('gives tokens with their index when nothing is joined', () => {
    assert.deepEqual(tokens(text, ada, { strategy: 'none' }).at(-1), {
      entity: 'B-LOC',
      score: 0.7,
      index: 5,
      word: 'London',
      start: 16,
      end: 22,
    });
    assert.equal(tokens(text, ada, { strategy: 'none', ignore: [] }).length, 5);
  });

  it('joins neighbours of one label token by token (simple)', () => {
    assert.deepEqual(tokens(text, ada), [
      { entity_group: 'PER', score: 0.85, word: 'Ada Love', start: 0, end: 8 },
      { entity_group: 'LOC', score: 0.6, word: 'lace', start: 8, end: 12 },
      { entity_group: 'LOC', score: 0.7, word: 'London', start: 16, end: 22 },
    ]);
  });

  it('lets a word have one label: of its first token, its surest, or the mean', () => {
    for (const [strategy, score] of [
      ['first', 0.85],
      ['max', 0.85],
      ['average', null],
    ] as const) {
      const [person, place] = tokens(text, ada, { strategy });
      assert.deepEqual([person?.word, place?.word], ['Ada Lovelace', 'London'], strategy);
      if (score !== null) assert.equal(person?.score, score);
    }
    const unsure = [
      ['Love', 'I-PER', 0.5],
      ['##lace', 'I-LOC', 0.9],
    ] as const;
    assert.equal(tokens('Lovelace', unsure, { strategy: 'max' })[0]?.entity_group, 'LOC');
    assert.equal(tokens('Lovelace', unsure, { strategy: 'first' })[0]?.entity_group, 'PER');
    assert.equal(tokens('Lovelace', unsure, { strategy: 'average' })[0]?.entity_group, 'LOC');
  });

  it('begins anew at B- and after a gap', () => {
    const parts = [
      ['a', 'B-PER', 0.9],
      ['b', 'B-PER', 0.9],
      ['c', 'O', 0.9],
      ['d', 'I-PER', 0.9],
    ] as const;
    assert.deepEqual(
      tokens('a b c d', parts).map((span) => span.word),
      ['a', 'b', 'd'],
    );
  });

  it('counts code points, or UTF-16 units on request', () => {
    const parts = [
      ['😀', 'O', 0.9],
      ['Ада', 'B-PER', 0.9],
    ] as const;
    const [points] = tokens('😀 Ада', parts);
    const [units] = tokens('😀 Ада', parts, { offsets: 'utf-16' });
    assert.deepEqual([points?.start, points?.end, points?.word], [2, 5, 'Ада']);
    assert.deepEqual([units?.start, units?.end, units?.word], [3, 6, 'Ада']);
  });
});

describe('words with BIO labels', () => {
  const parts = [
    ['Ada', 'I-PER', 0.9],
    ['Love', 'I-PER', 0.8],
    ['##lace', 'I-LOC', 0.9],
    ['🥛', 'B-PER', 0.9],
    ['in', 'O', 0.9],
    ['New', 'B-LOC', 0.7],
    ['York', 'I-LOC', 0.7],
  ] as const;
  const text = 'Ada Lovelace 🥛 in New York';

  it('begin a span with B-, also where the model forgot it or has two spans side by side', () => {
    assert.deepEqual(tags(text, parts), [
      [0, 3, 'B-PER'],
      [4, 12, 'I-PER'],
      [13, 14, 'B-PER'],
      [18, 21, 'B-LOC'],
      [22, 26, 'I-LOC'],
    ]);
  });

  it('have one label per word as the strategy says, O on request, and positions in the unit asked for', () => {
    const averaged = tags(text, parts, { strategy: 'max', ignore: [], offsets: 'utf-16' });
    assert.deepEqual(averaged.slice(1, 4), [
      [4, 12, 'B-LOC'],
      [13, 15, 'B-PER'],
      [16, 18, 'O'],
    ]);
  });
});
