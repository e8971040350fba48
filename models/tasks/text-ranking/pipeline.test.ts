import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Problem } from '../../../shared/problems/problem.ts';
import { skipWithoutAssets } from '../../parity/assets.ts';
import type { CallPipeline, Row } from '../../task.ts';
import { layTextModel } from '../../testing/text-model.ts';
import contract from './contract.ts';
import pipelineFactory from './pipeline.ts';

describe('text ranking with the vocabulary of MiniLM', { skip: skipWithoutAssets() }, () => {
  let folder: string;
  let preparing: CallPipeline;
  let lane: CallPipeline;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ranking-'));
    const files = await layTextModel(folder, {
      tokenizer: 'tokenizers/all-MiniLM-L6-v2',
      output: 'logits',
      config: {
        architectures: ['BertForSequenceClassification'],
        max_position_embeddings: 24,
        type_vocab_size: 2,
        pad_token_id: 0,
        id2label: { 0: 'LABEL_0' },
      },
    });
    assert.equal(files.task, 'text-ranking');
    preparing = await pipelineFactory.createPipeline(files, 'prepare');
    lane = await pipelineFactory.createPipeline(files, 'lane');
  });
  after(() => rm(folder, { recursive: true }));

  const prepare = (query: string, documents: readonly string[], parameters = {}) =>
    preparing.prepare({ kind: 'json', value: { query, documents } }, parameters) as Row[];
  /** Ranks with the logits that the graph would give, by document. */
  const rank = (rows: readonly Row[], byDocument: readonly number[]) => {
    const data = Float32Array.from(rows, ({ context }) => byDocument[(context as { index: number }).index] ?? 0);
    const outcomes = lane.postprocess({ logits: { type: 'float32', dims: [rows.length, 1], data } }, rows);
    const parts = outcomes.map((outcome) => ('part' in outcome ? outcome.part : assert.fail('a problem')));
    return lane.merge(
      parts,
      rows.map(({ context }) => context),
    ) as { index: number; score: number; text?: string }[];
  };

  it('encodes a pair as transformers does, segments included', () => {
    const [row] = prepare('what is a mill race?', ['Вода идёт to the wheel.']);
    const expected = [101, 2054, 2003, 1037, 4971, 2679, 1029, 102, 1182, 14150, 29742, 10260, 1188, 29742, 15290];
    expected.push(22919, 2000, 1996, 5217, 1012, 102);
    assert.deepEqual([...(row?.tensors['input_ids']?.data ?? [])], expected);
    const segments = [...Array(8).fill(0), ...Array(13).fill(1)];
    assert.deepEqual([...(row?.tensors['token_type_ids']?.data ?? [])], segments);
  });

  it('gives the graph segments and a mask, padded with zeros', () => {
    const rows = prepare('a', ['b', 'b c d']);
    const feeds = lane.collate(rows);
    const read = (name: string) => [...(feeds[name]?.data ?? [])].map(Number);
    assert.deepEqual(feeds['token_type_ids']?.dims, [2, 7]);
    assert.deepEqual(read('token_type_ids'), [0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0]);
    assert.deepEqual(read('attention_mask'), [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
  });

  it('makes a row per document, the longest first, and ranks them by logit under their own index', () => {
    const rows = prepare('q', ['one', 'one two three', 'one two'], { return_documents: true });
    assert.deepEqual(
      rows.map(({ length }) => length),
      [7, 6, 5],
    );
    assert.deepEqual(rank(rows, [-1, 0, 3]), [
      { index: 2, score: 0.952574, text: 'one two' },
      { index: 1, score: 0.5, text: 'one two three' },
      { index: 0, score: 0.268941, text: 'one' },
    ]);
  });

  it('tells documents apart whose scores are both 1, and keeps the order of equal ones', () => {
    const scores = rank(prepare('q', ['a', 'b', 'c', 'd']), [40, 50, 50, 40]);
    assert.deepEqual(
      scores.map(({ index }) => index),
      [1, 2, 0, 3],
    );
  });

  it('obeys top_n, raw_scores and return_tokens', () => {
    assert.deepEqual(rank(prepare('q', ['a', 'b'], { top_n: 1, raw_scores: true }), [-2.5, 1e-7]), [
      { index: 1, score: 1e-7 },
    ]);
    const counted = rank(prepare('q', ['a', 'b c'], { return_tokens: true, top_n: 1 }), [0, 0]);
    assert.deepEqual(counted, { results: [{ index: 0, score: 0.5 }], tokens: 11 });
  });

  it('refuses a pair that is too long, naming the document, its tokens and the limit', () => {
    const long = 'word '.repeat(30);
    assert.throws(
      () => prepare('a query', ['short', long]),
      (error: Problem) => {
        assert.equal(error.slug, 'input-too-long');
        assert.match(error.detail, /Document 1 has 30 tokens and the query 2; with 3 special ones a pair may have 24/);
        return error instanceof Problem && error.errors?.[0]?.pointer === '/documents/1';
      },
    );
  });

  it('cuts when told: the document to its own limit, or the pair to what the model takes', () => {
    const words = Array.from({ length: 30 }, (_, at) => ['one', 'two', 'three'][at % 3]).join(' ');
    const idsOf = (parameters: object) => [...(prepare('q', [words], parameters)[0]?.tensors['input_ids']?.data ?? [])];
    assert.deepEqual(idsOf({ max_tokens_per_doc: 2 }), [101, 1053, 102, 2028, 2048, 102]);
    assert.deepEqual(idsOf({ max_tokens_per_doc: 2, truncation_direction: 'left' }), [101, 1053, 102, 2048, 2093, 102]);
    assert.equal(idsOf({ truncate: true }).length, 24);
    assert.equal(prepare(words, [words], { truncate: true })[0]?.length, 24);
  });

  it('fails the item when a logit is not finite', () => {
    const rows = prepare('q', ['a']);
    const [outcome] = lane.postprocess({ logits: { type: 'float32', dims: [1, 1], data: Float32Array.of(NaN) } }, rows);
    assert.match(JSON.stringify(outcome), /non-finite-output/);
  });
});

describe('an item of text ranking', () => {
  const read = (value: unknown) => contract.item?.safeParse(value);

  it('is a query with documents, as texts or objects, or a pair of texts', () => {
    const parsed = { query: 'q', documents: ['a', 'b'] };
    assert.deepEqual(read({ query: 'q', documents: ['a', { text: 'b' }] })?.data, parsed);
    assert.deepEqual(read({ text: 'q', text_pair: 'd' })?.data, { query: 'q', documents: ['d'] });
  });

  it('is refused without documents, with an empty one, with too many, or with both spellings', () => {
    const tooMany = Array.from({ length: 1001 }, () => 'd');
    for (const documents of [[], [''], ['a', { title: 'b' }], tooMany])
      assert.equal(read({ query: 'q', documents })?.success, false);
    assert.equal(read({ query: 'q', documents: ['d'], text: 'q', text_pair: 'd' })?.success, false);
    assert.equal(read('q')?.success, false);
  });
});
