import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BatchTensor, GenerationPlan } from '../task.ts';
import type { Engine } from './engine.ts';
import { openTiny, tinyDecoder, tinyLayouts, tinyPlan, tinyRow, writeAll } from './testing/tiny-model.ts';

/** The states of so many patches are large enough to be given back. */
const patches = 600;

/** The engine, and what went through its encoder. */
function watch(engine: Engine) {
  const fed: BatchTensor[] = [];
  const given: BatchTensor[] = [];
  const watched: Engine = {
    inputs: (session) => engine.inputs(session),
    outputs: (session) => engine.outputs(session),
    async run(session, feeds, wanted) {
      const outputs = await engine.run(session, feeds, wanted);
      if (session !== 'encoder') return outputs;
      fed.push(...Object.values(feeds));
      given.push(...Object.values(outputs));
      return outputs;
    },
  };
  return { watched, fed, given };
}

const freed = (tensors: readonly BatchTensor[]) => tensors.filter(({ data }) => data.length === 0).length;

describe("the memory of an encoder's call", () => {
  for (const layout of tinyLayouts) {
    it(`is given back once nobody reads it: with ${layout} graphs, also where a row begins again`, async () => {
      const engine = await openTiny(layout);
      const plan: GenerationPlan = {
        ...tinyPlan,
        finish: (row, written, attempt) => (attempt === 0 ? 'again' : tinyPlan.finish(row, written, attempt)),
      };
      const { watched, fed, given } = watch(engine);
      const decoder = tinyDecoder(layout, watched, plan);
      const rows = [1, 2, 3].map((seed) => tinyRow(seed, patches, { tokensMax: 4, stopIds: [] }));
      assert.equal((await writeAll(decoder, rows)).filter(({ ids }) => ids.length === 4).length, rows.length);
      assert.ok(given.length > 0);
      assert.deepEqual([freed(fed), freed(given)], [fed.length, given.length]);
      await engine.release();
    });

    it(`is given back with ${layout} graphs when rows are evicted`, async () => {
      const engine = await openTiny(layout);
      const { watched, given } = watch(engine);
      const decoder = tinyDecoder(layout, watched, tinyPlan);
      decoder.admit([1, 2].map((seed) => ({ id: seed, row: tinyRow(seed, patches, { stopIds: [] }), rank: 0 })));
      for (let pieces = 0; pieces < 4; pieces++) await decoder.advance(1000);
      decoder.evict([1]);
      while (decoder.held.length > 0) await decoder.advance(1000);
      assert.ok(given.length > 0);
      assert.equal(freed(given), given.length);
      await engine.release();
    });
  }
});
