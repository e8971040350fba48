import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { skipWithoutAssets } from '../../parity/assets.ts';
import type { CallPipeline, Row } from '../../task.ts';
import { layTextModel } from '../../testing/text-model.ts';
import pipelineFactory from './pipeline.ts';
import type { Span } from './spans.ts';

describe('token classification with a real BERT vocabulary', { skip: skipWithoutAssets() }, () => {
  const labels = ['O', 'B-X', 'I-X'];
  const config = {
    architectures: ['BertForTokenClassification'],
    max_position_embeddings: 64,
    pad_token_id: 0,
    id2label: { ...labels },
  };
  let folder: string;
  let preparing: CallPipeline;
  let lane: CallPipeline;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ner-'));
    const files = await layTextModel(folder, {
      tokenizer: 'tokenizers/bert-base-ner',
      output: 'logits',
      config,
    });
    preparing = await pipelineFactory.createPipeline(files, 'prepare');
    lane = await pipelineFactory.createPipeline(files, 'lane');
  });
  after(() => rm(folder, { recursive: true }));

  const prepare = (text: string, parameters = {}) => preparing.prepare({ kind: 'text', text }, parameters) as Row[];
  /** Logits that give every real token the label of index `best`, padding included. */
  const run = (rows: readonly Row[], best: (token: number, row: number) => number) => {
    const longest = Math.max(...rows.map((row) => row.length));
    const data = new Float32Array(rows.length * longest * labels.length);
    for (let row = 0; row < rows.length; row++)
      for (let token = 0; token < longest; token++)
        data[(row * longest + token) * labels.length + best(token, row)] = 5;
    const logits = { type: 'float32', dims: [rows.length, longest, labels.length], data } as const;
    return lane.postprocess({ logits }, rows).map((outcome) => {
      assert.ok('part' in outcome);
      return outcome.part;
    });
  };
  const classify = (rows: readonly Row[], best: (token: number, row: number) => number) => run(rows, best) as Span[][];

  it('gives words that are exact slices, by code points and by UTF-16 units', () => {
    const texts = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(texts, (text) => {
        for (const [offsets, slice] of [
          ['code-point', (from: number, to: number) => [...text].slice(from, to).join('')],
          ['utf-16', (from: number, to: number) => text.slice(from, to)],
        ] as const) {
          const [spans] = classify(prepare(text, { aggregation_strategy: 'none', offsets }), () => 1);
          for (const span of spans ?? []) assert.equal(slice(span.start, span.end), span.word);
        }
      }),
    );
  });

  it('finds words in any script where they are', () => {
    const text = 'Купи 👩‍👩‍👧 молоко «Простоквашино» café';
    const [spans] = classify(prepare(text, { aggregation_strategy: 'first' }), () => 1);
    const words = spans?.map((span) => span.word) ?? [];
    for (const word of ['Купи', 'молоко', 'Простоквашино', 'café'])
      assert.ok(words.includes(word), `${word} in ${words}`);
  });

  it('pads a batch, and gives every row what it gets alone', () => {
    const rows = ['a', 'a much longer text with many words', 'Москва'].flatMap((text) => prepare(text));
    const feeds = lane.collate(rows);
    const longest = Math.max(...rows.map((row) => row.length));
    for (const name of ['input_ids', 'attention_mask', 'token_type_ids'])
      assert.deepEqual(feeds[name]?.dims, [3, longest], name);
    const mask = [...(feeds['attention_mask']?.data ?? [])].map(Number);
    for (const [row, { length }] of rows.entries())
      assert.equal(
        mask.slice(row * longest, (row + 1) * longest).reduce((sum, bit) => sum + bit, 0),
        length,
      );
    const together = classify(rows, () => 2);
    for (const [index, row] of rows.entries()) assert.deepEqual(classify([row], () => 2)[0], together[index]);
  });

  it('gives a long text the spans that a model without limit would give, in any script and both units', async () => {
    const wide = await layTextModel(join(folder, 'wide'), {
      tokenizer: 'tokenizers/bert-base-ner',
      output: 'logits',
      config: { ...config, max_position_embeddings: 4096 },
    });
    const whole = await pipelineFactory.createPipeline(wide, 'prepare');
    const words = ['молоко', '👩‍👩‍👧', 'café', 'Простоквашино', 'a', '🥛', 'Unaffable', '中文', 'нельзя'];
    const texts = fc.array(fc.constantFrom(...words), { minLength: 30, maxLength: 80 }).map((list) => list.join(' '));
    const wishes = fc.record({
      aggregation_strategy: fc.constantFrom('none', 'simple', 'first', 'average', 'max'),
      offsets: fc.constantFrom('code-point', 'utf-16'),
      stride: fc.integer({ min: 0, max: 31 }),
      format: fc.constantFrom('spans', 'bio'),
    });
    // The label follows from the token alone: what a window is missing can not change it.
    const byId = (rows: readonly Row[]) => (token: number, row: number) =>
      Number(rows[row]?.tensors['input_ids']?.data[token] ?? 0) % 3;
    fc.assert(
      fc.property(texts, wishes, (text, wish) => {
        const rows = prepare(text, wish);
        assert.ok(rows.length > 1 && rows.every(({ length }) => length <= 64));
        const alone = whole.prepare({ kind: 'text', text }, wish) as Row[];
        const [expected] = run(alone, byId(alone));
        const merged = lane.merge(
          run(rows, byId(rows)),
          rows.map(({ context }) => context),
        );
        assert.deepEqual(merged, expected);
      }),
      { numRuns: 60 },
    );
  });

  it('puts special tokens around every window, and refuses a stride that leaves too little', () => {
    const rows = prepare('word '.repeat(100));
    assert.deepEqual(
      rows.map(({ length }) => length),
      [60, 60],
    );
    for (const { tensors } of rows) {
      const ids = [...(tensors['input_ids']?.data ?? [])];
      assert.deepEqual([ids[0], ids.at(-1), ids.indexOf(102)], [101, 102, 59]);
    }
    assert.throws(
      () => prepare('word', { stride: 32 }),
      /`stride` is 32; windows of this model hold 62 tokens.*at most 31/,
    );
  });

  it('fails only the row whose logits are not finite', () => {
    const rows = ['a', 'b'].flatMap((text) => prepare(text));
    const data = new Float32Array(2 * 3 * 3);
    data[10] = Number.NaN;
    const outcomes = lane.postprocess({ logits: { type: 'float32', dims: [2, 3, 3], data } }, rows);
    assert.ok('part' in (outcomes[0] ?? {}));
    assert.match(JSON.stringify(outcomes[1]), /non-finite-output/);
  });

  it('answers its canary with nothing', () => {
    assert.deepEqual(
      classify(lane.canary.rows, () => 1),
      [[]],
    );
  });
});
