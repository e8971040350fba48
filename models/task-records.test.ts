/** How each task remembers its outputs, and what a trainer gets of them. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loadContracts, loadRecords } from './discover-tasks.ts';
import type { TaskRecord } from './task.ts';

const wish = { parameters: {}, keepsInput: true, sizeMax: 100 };
let records: ReadonlyMap<string, TaskRecord>;
before(async () => {
  records = await loadRecords();
});

describe('the record of a task', () => {
  it('exists for every contract, and takes its example output, also as a correction', async () => {
    for (const { task, example } of (await loadContracts()).values()) {
      const record = records.get(task);
      assert.ok(record, task);
      const { summary } = record.summarize(example.output, wish);
      assert.ok(JSON.stringify(summary).length < 1000, task);
      record.correction.parse(example.output);
      const text = typeof example.input === 'string' ? example.input : JSON.stringify(example.input);
      record.toExample?.({ text, reference: '/x', summary });
    }
  });

  it('names a folder that has none', async () => {
    await assert.rejects(loadRecords(import.meta.dirname), /record\.ts can not be imported/);
  });
});

describe('token classification', () => {
  const spans = [
    { entity_group: 'PER', score: 0.5, word: 'Ада', start: 2, end: 5 },
    { entity_group: 'LOC', score: 0.9, word: 'New York', start: 9, end: 17 },
  ];

  it('keeps the best span as the label, and no word of the text where inputs must not be kept', () => {
    const kept = records.get('token-classification')?.summarize(spans, { ...wish, keepsInput: false });
    assert.equal(kept?.label, 'LOC');
    assert.equal(kept?.score, 0.9);
    assert.doesNotMatch(JSON.stringify(kept), /York|Ада/);
  });

  it('says when it left spans out', () => {
    const kept = records.get('token-classification')?.summarize(spans, { ...wish, sizeMax: 1 });
    assert.deepEqual(kept?.summary['spans'], [{ label: 'PER', start: 2, end: 5, score: 0.5, word: 'Ада' }]);
    assert.equal(kept?.summary['cut'], true);
  });

  it('gives entities by offset and BIO tags that agree, beyond the basic plane too', () => {
    const record = records.get('token-classification');
    const { summary } = record?.summarize(spans, wish) ?? { summary: {} };
    const example = record?.toExample?.({ text: '😀 Ада in New York', reference: null, summary });
    assert.deepEqual(example?.['entities'], [
      { start: 2, end: 5, label: 'PER' },
      { start: 9, end: 17, label: 'LOC' },
    ]);
    assert.deepEqual(example?.['tokens'], ['😀', 'Ада', 'in', 'New', 'York']);
    assert.deepEqual(example?.['ner_tags'], ['O', 'B-PER', 'O', 'B-LOC', 'I-LOC']);
  });

  it('makes spans of words with BIO labels, whether the model gave them or a person', () => {
    const record = records.get('token-classification');
    const words = [
      { start_index: 0, end_index: 1, entity: 'O' },
      { start_index: 2, end_index: 5, entity: 'B-PER' },
      { start_index: 6, end_index: 8, entity: 'I-PER' },
      { start_index: 9, end_index: 10, entity: 'B-PER' },
    ];
    assert.ok(record?.correction.safeParse(words).success);
    assert.deepEqual(record?.summarize(words, wish).summary['spans'], [
      { label: 'PER', start: 2, end: 8 },
      { label: 'PER', start: 9, end: 10 },
    ]);
    assert.match(record?.misfit?.(words, 7) ?? '', /ends at 8; the text has 7/);
    assert.equal(record?.correction.safeParse([{ ...words[1], end_index: 2 }]).success, false);
  });

  it('takes a correction without score and word, and refuses a span that ends before its start', () => {
    const correction = records.get('token-classification')?.correction;
    assert.ok(correction?.safeParse([{ entity_group: 'X', start: 1, end: 2 }]).success);
    assert.equal(correction?.safeParse([{ entity_group: 'X', start: 2, end: 2 }]).success, false);
  });

  it('sees a span that ends behind the text, in whichever units it counts', () => {
    const record = records.get('token-classification');
    const ending = (end: number) => record?.misfit?.([{ entity_group: 'X', start: 0, end }], '😀 ok'.length);
    assert.deepEqual([ending(4), ending(5)], [null, null]);
    assert.match(ending(6) ?? '', /ends at 6; the text has 5/);
  });
});

describe('text ranking', () => {
  const item = { query: 'q', documents: ['a', 'b', 'c'] };

  it('gives the columns of a listwise trainer: scores as labels, or the place where a person gave none', () => {
    const record = records.get('text-ranking');
    const learn = (output: unknown, text: string | null = JSON.stringify(item)) => {
      assert.ok(record?.correction.safeParse(output).success);
      return record?.toExample?.({ text, reference: null, ...record.summarize(output, wish) });
    };
    const labelled = { query: 'q', docs: ['a', 'b', 'c'] };
    const scored = [
      { index: 2, score: 0.75 },
      { index: 0, score: 0.25 },
    ];
    assert.deepEqual(learn(scored), { ...labelled, labels: [0.25, 0, 0.75] });
    assert.deepEqual(learn({ results: [{ index: 1 }, { index: 2 }] }), { ...labelled, labels: [0, 1, 0.5] });
    assert.deepEqual(learn([{ index: 1 }], null), { query: null, docs: null, labels: null, places: [{ index: 1 }] });
  });

  it('takes no correction that gives a document two places', () => {
    assert.equal(records.get('text-ranking')?.correction.safeParse([{ index: 1 }, { index: 1 }]).success, false);
  });
});
