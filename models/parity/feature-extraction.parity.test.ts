import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Row } from '../task.ts';
import { assetsFolder, skipWithoutAssets } from './assets.ts';
import { findModel, partOf, type RunningModel, startModel } from './run-model.ts';

interface Reference {
  readonly sentences: readonly {
    readonly text: string;
    readonly input_ids: readonly number[];
    readonly pooled_first8: readonly number[];
    readonly pooled_norm: number;
    readonly normalised_first8: readonly number[];
  }[];
  readonly cosine_pairs: readonly { readonly i: number; readonly j: number; readonly cosine: number }[];
}

const text = (value: string) => ({ kind: 'text', text: value }) as const;
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  assert.ok(a.length >= b.length);
  return Array.from(b).reduce((most, value, at) => Math.max(most, Math.abs(value - (a[at] ?? Number.NaN))), 0);
};
const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

describe('feature extraction on all-MiniLM-L6-v2', { skip: skipWithoutAssets() }, () => {
  let model: RunningModel;
  let reference: Reference;
  before(async () => {
    const directory = join(assetsFolder, 'models');
    model = await startModel(await findModel(directory, 'all-MiniLM-L6-v2'));
    reference = JSON.parse(readFileSync(join(directory, 'all-MiniLM-L6-v2', 'reference.json'), 'utf8'));
  });
  const embed = async (value: string, parameters = {}) => (await model.answer(text(value), parameters)) as Float32Array;

  it('gives the vectors of the PyTorch model to 1e-4', async () => {
    assert.equal(reference.sentences.length, 20);
    for (const sentence of reference.sentences) {
      const [row] = await model.prepare(text(sentence.text), { truncate: true });
      assert.deepEqual([...(row?.tensors['input_ids']?.data ?? [])], sentence.input_ids);
      const vector = await embed(sentence.text, { truncate: true });
      assert.equal(vector.length, 384);
      assert.ok(distance(vector, sentence.normalised_first8) < 1e-4, sentence.text);
      const own = vector.subarray(0, 8);
      const known = Float32Array.from(sentence.normalised_first8);
      assert.ok(cosine(own, known) / Math.hypot(...own) / Math.hypot(...known) >= 0.9999, sentence.text);
      const raw = await embed(sentence.text, { normalize: false, truncate: true });
      assert.ok(distance(raw, sentence.pooled_first8) < 1e-4, sentence.text);
      assert.ok(Math.abs(Math.hypot(...raw) - sentence.pooled_norm) < 1e-3, sentence.text);
    }
  });

  it('keeps the cosines between sentences', async () => {
    for (const { i, j, cosine: expected } of reference.cosine_pairs) {
      const [a, b] = [reference.sentences[i]?.text ?? '', reference.sentences[j]?.text ?? ''];
      assert.ok(Math.abs(cosine(await embed(a), await embed(b)) - expected) < 1e-4, `${a} / ${b}`);
    }
  });

  it('gives a text the same vector alone, among longer texts, and at every place of a batch', async () => {
    const texts = reference.sentences
      .slice(0, 6)
      .map((sentence) => sentence.text)
      .concat('word '.repeat(200));
    const rows: Row[] = [];
    for (const value of texts) rows.push(...(await model.prepare(text(value))));
    const alone = await Promise.all(rows.map(async (row) => partOf((await model.run([row]))[0]) as Float32Array));
    for (const shift of rows.keys()) {
      const order = rows.map((_, at) => (at + shift) % rows.length);
      const outcomes = await model.run(order.map((at) => rows[at] as Row));
      for (const [place, at] of order.entries()) {
        const vector = partOf(outcomes[place]) as Float32Array;
        assert.ok(distance(vector, alone[at] as Float32Array) < 1e-5, `text ${at} at place ${place}`);
      }
    }
  });

  it('shortens vectors on request and scales them again', async () => {
    const [full, short] = [await embed('a word'), await embed('a word', { dimensions: 64 })];
    assert.equal(short.length, 64);
    assert.ok(Math.abs(Math.hypot(...short) - 1) < 1e-5);
    const scale = Math.hypot(...full.subarray(0, 64));
    assert.ok(
      distance(
        short,
        full.subarray(0, 64).map((value) => value / scale),
      ) < 1e-5,
    );
    await assert.rejects(embed('a word', { dimensions: 385 }), /this model's vectors have 384/);
  });

  it('takes 256 tokens, refuses more with both figures, and cuts when told', async () => {
    assert.equal((await model.prepare(text('word '.repeat(254))))[0]?.length, 256);
    await assert.rejects(async () => model.prepare(text('word '.repeat(300))), /302 tokens; this model takes 256/);
    const [row] = await model.prepare(text('word '.repeat(300)), { truncate: true });
    assert.equal(row?.length, 256);
    assert.equal(row?.tensors['input_ids']?.data.at(-1), 102, 'the closing special token is kept');
  });

  it('answers the canary', async () => {
    const [outcome] = await model.canary();
    assert.equal((partOf(outcome) as Float32Array).length, 384);
  });
});
