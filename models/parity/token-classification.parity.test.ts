import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { readConfig, readLabels } from '../repository/version-files.ts';
import type { BatchTensor, CallPipeline, Row } from '../task.ts';
import factory from '../tasks/token-classification/pipeline.ts';
import type { Span } from '../tasks/token-classification/spans.ts';
import { findModel, partOf, type RunningModel, startModel } from './run-model.ts';

interface Reference {
  readonly cases: readonly {
    /** Logits are a sine of the token ids, not the model's. */
    readonly sine: boolean;
    readonly text: string;
    readonly strategy: string;
    readonly spans: readonly Omit<Span, 'word'>[];
  }[];
}

const zoo = join(import.meta.dirname, '..', 'zoo');
const { cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures', 'token-spans.json'), 'utf8'),
) as Reference;

describe('token classification on starter-ner-groceries', () => {
  let model: RunningModel;
  let lane: CallPipeline;
  let width: number;
  before(async () => {
    const files = await findModel(zoo, 'starter-ner-groceries');
    model = await startModel(files);
    lane = await factory.createPipeline(files, 'lane');
    width = readLabels(await readConfig(files)).length;
  });

  const sineOf = ({ tensors, length }: Row): BatchTensor => {
    const ids = tensors['input_ids']?.data ?? [];
    const data = Float32Array.from(
      { length: length * width },
      (_, at) => 3 * Math.sin(Number(ids[Math.floor(at / width)] ?? 0) * ((at % width) + 1)),
    );
    return { type: 'float32', dims: [1, length, width], data };
  };

  it("gives the spans of transformers' pipeline by every strategy: labels, offsets and scores", async () => {
    assert.equal(cases.length, 70);
    for (const { sine, text, strategy, spans } of cases) {
      const [row] = await model.prepare({ kind: 'text', text }, { aggregation_strategy: strategy });
      assert.ok(row);
      const [outcome] = sine ? lane.postprocess({ logits: sineOf(row) }, [row]) : await model.run([row]);
      const own = partOf(outcome) as Span[];
      const where = `${text} (${strategy}${sine ? ', sine' : ''})`;
      const named = ({ word: _word, score: _score, ...rest }: Span) => rest;
      const expected = spans.map((span) => named({ word: '', ...span }));
      assert.deepEqual(own.map(named), expected, where);
      for (const [at, { score }] of spans.entries())
        assert.ok(Math.abs((own[at]?.score ?? 0) - score) < 2e-5, `${where}: span ${at}`);
    }
  });

  it('reads a text of many windows from end to end, and every word is where its offsets say', async () => {
    const query = 'молоко простоквашино 3.2% 1л 🥛, корм whiskas 85 г, ';
    const text = query.repeat(30);
    const rows = await model.prepare({ kind: 'text', text });
    assert.ok(rows.length > 4 && rows.every(({ length }) => length <= 128));
    const spans = (await model.answer({ kind: 'text', text })) as Span[];
    const points = Array.from(text);
    for (const { start, end, word } of spans) assert.equal(points.slice(start, end).join(''), word);
    // What digits say does not hang on the length of the text, which this model never saw in training.
    const volumes = spans.filter(({ word, entity_group }) => word === '1л' && entity_group === 'VOLUME');
    assert.equal(volumes.length, 30);
  });
});
