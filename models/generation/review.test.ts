import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GenerationPlan, Row } from '../task.ts';
import {
  openTiny,
  startId,
  type TinyPart,
  tinyDecoder,
  tinyLayouts,
  tinyPlan,
  tinyRow,
  writeAll,
} from './testing/tiny-model.ts';

const words = 24;
const rows = Array.from({ length: 12 }, (_, seed) => tinyRow(seed));

/** What a row becomes when its plan looks back on it: what it wrote, and the likeliest token after each that it fed. */
interface Reread extends TinyPart {
  readonly likeliest: readonly number[];
}

const lookingBack = (refuses: (row: Row) => boolean = () => false): GenerationPlan => ({
  ...tinyPlan,
  finish: (row, written, attempt) => ({
    ids: [startId, ...written.ids],
    outputs: ['logits'],
    conclude({ logits, ...others }) {
      if (refuses(row)) throw new Error('told to refuse');
      assert.deepEqual(Object.keys(others), [], 'only what was wanted is read');
      const likeliest = Array.from({ length: logits?.dims[1] ?? 0 }, (_, at) => {
        const own = logits?.data.subarray(at * words, (at + 1) * words) as Float32Array;
        return own.indexOf(Math.max(...own));
      });
      return { part: { ...written, attempt, likeliest } satisfies Reread };
    },
  }),
});

describe('looking back on a row', () => {
  for (const layout of tinyLayouts.filter((name) => name !== 'slots')) {
    it(`gives in one call of ${layout} graphs what writing gave step by step`, async () => {
      const engine = await openTiny(layout);
      const plain = await writeAll(tinyDecoder(layout, engine, tinyPlan), rows);
      const looked = (await writeAll(tinyDecoder(layout, engine, lookingBack()), rows)) as Reread[];
      for (const [index, { ids, likeliest }] of looked.entries()) {
        assert.deepEqual(ids, plain[index]?.ids);
        assert.deepEqual(likeliest.slice(0, ids.length), ids, `row ${index}`);
      }
      await engine.release();
    });
  }

  it('fails alone the row whose look back fails, and keeps no row that was evicted before its turn', async () => {
    const engine = await openTiny('merged');
    const even = rows.map((_, seed) => tinyRow(seed, 5, { tokensMax: 3, stopIds: [] }));
    const plan = lookingBack((row) => row === even[3]);
    const decoder = tinyDecoder('merged', engine, plan);
    decoder.admit(even.map((row, id) => ({ id, row, rank: 0 })));
    const outcomes = new Map<number, object>();
    while (decoder.held.length > 0) {
      for (const { id, outcome } of (await decoder.advance(1000)).finished) outcomes.set(id, outcome);
      // All have ended in the same step: the others wait for their turn.
      if (outcomes.size === 1) decoder.evict([5]);
    }
    assert.match(JSON.stringify(outcomes.get(3)), /look back on its text: told to refuse/);
    assert.deepEqual([...outcomes.keys()], [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]);
    await engine.release();
  });

  it('is refused by name where the graph takes one token at a time', async () => {
    const engine = await openTiny('slots');
    const [part] = await writeAll(tinyDecoder('slots', engine, lookingBack()), rows.slice(0, 1));
    assert.match((part as unknown as { detail: string }).detail, /one token at a time/);
    await engine.release();
  });
});
