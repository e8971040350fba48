import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GenerationPlan, Row, SequenceStart } from '../task.ts';
import type { Engine } from './engine.ts';
import {
  openTiny,
  startId,
  stopId,
  type TinyPart,
  tinyDecoder,
  tinyLayouts,
  tinyPlan,
  tinyRow,
  writeAll,
} from './testing/tiny-model.ts';

const seeds = Array.from({ length: 20 }, (_, seed) => seed);
const words = 24;

/** The plainest way to write: for each token all tokens anew, one row, the likeliest, by the uncached graph alone. */
async function writePlainly(engine: Engine, row: Row, prompt: readonly number[]): Promise<number[]> {
  const pixels = row.tensors['pixel_values'];
  const feed = { type: 'float32', dims: [1, ...(pixels?.dims ?? [])], data: pixels?.data as Float32Array } as const;
  const encoded = await engine.run('encoder', { pixel_values: feed });
  const ids = [...prompt];
  while (ids.length < prompt.length + 40) {
    const { logits } = await engine.run('decoder', {
      input_ids: { type: 'int64', dims: [1, ids.length], data: BigInt64Array.from(ids, BigInt) },
      encoder_hidden_states: encoded['last_hidden_state'] as never,
    });
    const last = logits?.data.slice(-words) as Float32Array;
    const next = last.indexOf(Math.max(...last));
    if (next === stopId) break;
    ids.push(next);
  }
  return ids.slice(prompt.length);
}

const idsOf = (parts: readonly TinyPart[]) => parts.map(({ ids }) => ids);
const rowsWith = (start: Partial<SequenceStart>, count = seeds.length) =>
  seeds.slice(0, count).map((seed) => tinyRow(seed, 5, start));

describe('writing token by token', () => {
  const rows = rowsWith({});
  const longPrompt = [startId, 7, 9, 4, 11];
  let plain: number[][] = [];
  let plainAfterPrompt: number[][] = [];
  const beams = rowsWith({ sampling: { temperature: 0, beams: 3 } }, 6);
  const searched: (readonly number[])[] = [];
  before(async () => {
    const engine = await openTiny('uncached');
    const write = async (prompt: readonly number[]) => {
      const texts: number[][] = [];
      for (const row of rows) texts.push(await writePlainly(engine, row, prompt));
      return texts;
    };
    plain = await write([startId]);
    plainAfterPrompt = await write(longPrompt);
    // Without a cache a beam's past is its tokens: nothing can be left behind when it changes its parent.
    for (const row of beams) searched.push(...idsOf(await writeAll(tinyDecoder('uncached', engine, tinyPlan), [row])));
    await engine.release();
  });

  it('is tried on rows that end at many lengths, the longest beyond one growth of the cache', () => {
    const lengths = plain.map(({ length }) => length);
    assert.ok(new Set(lengths).size >= 8 && Math.min(...lengths) < 8 && Math.max(...lengths) === 40, `${lengths}`);
  });

  for (const layout of tinyLayouts) {
    describe(`with ${layout} graphs`, () => {
      let engine: Awaited<ReturnType<typeof openTiny>>;
      before(async () => {
        engine = await openTiny(layout);
      });
      after(() => engine.release());
      const write = async (own: readonly Row[], admitAt: readonly number[] = [], plan: GenerationPlan = tinyPlan) =>
        await writeAll(tinyDecoder(layout, engine, plan), own, admitAt);

      it('gives in company what recomputing every token gives alone', async () => {
        assert.deepEqual(idsOf(await write(rows)), plain);
      });

      it('gives the same to rows that come while others are written, and after', async () => {
        const admitAt = seeds.map((seed) => (seed * 7) % 60);
        assert.deepEqual(idsOf(await write(rows, admitAt)), plain);
      });

      it('feeds a prompt of several tokens, and keeps the logits that are asked for', async () => {
        const start = { promptIds: longPrompt, keepLogitsAt: 0 };
        const parts = await write(rowsWith(start));
        assert.deepEqual(idsOf(parts), plainAfterPrompt);
        const first = await write(rowsWith({ keepLogitsAt: 0 }));
        for (const [index, { keptLogits }] of parts.entries()) {
          const same = first[index]?.keptLogits as Float32Array;
          assert.ok(keptLogits?.every((logit, id) => Math.abs(logit - (same[id] as number)) < 1e-4));
        }
      });

      it('steps no more rows at once than it has slots for', async () => {
        const decoder = tinyDecoder(layout, engine, tinyPlan);
        decoder.admit(rows.map((row, id) => ({ id, row, rank: 0 })));
        let most = 0;
        while (decoder.held.length > 0) most = Math.max(most, (await decoder.advance(1000)).lines);
        assert.ok(rows.length > decoder.slots && most === decoder.slots, `${most}`);
      });

      it('draws the same from the same seed, alone and in company, and other texts from other seeds', async () => {
        const drawn = (seed: number) => rowsWith({ sampling: { temperature: 1, topK: 8, topP: 0.9, seed } }, 6);
        const together = await write(drawn(5));
        for (const [index, row] of drawn(5).entries())
          assert.deepEqual((await write([row]))[0]?.ids, together[index]?.ids);
        assert.notDeepEqual(idsOf(await write(drawn(6))), idsOf(together));
      });

      it('searches beams that change parents as recomputing does alone, beside rows without', async () => {
        const mixed = beams.flatMap((row, index) => [row, rows[index] as Row]);
        const parts = idsOf(await write(mixed));
        for (const [index, row] of beams.entries()) {
          assert.deepEqual(parts[2 * index], searched[index]);
          assert.deepEqual((await write([row]))[0]?.ids, searched[index]);
          assert.deepEqual(parts[2 * index + 1], plain[index]);
        }
        assert.notDeepEqual(
          parts.filter((_, index) => index % 2 === 0),
          plain.slice(0, 6),
        );
      });

      it('writes others on unchanged when rows are evicted, and the evicted ones again from the start', async () => {
        const decoder = tinyDecoder(layout, engine, tinyPlan);
        const texts = new Map<number, readonly number[]>();
        const advance = async () => {
          for (const { id, outcome } of (await decoder.advance(1000)).finished)
            texts.set(id, ((outcome as { part: unknown }).part as TinyPart).ids);
        };
        const admit = (ids: readonly number[]) =>
          decoder.admit(ids.map((id) => ({ id, row: rows[id] as Row, rank: 0 })));
        admit(seeds.slice(0, 8));
        for (let i = 0; i < 15; i++) await advance();
        const gone = decoder.held.filter((_, index) => index % 2 === 0);
        decoder.evict(gone);
        assert.ok(gone.length > 0 && !decoder.held.some((id) => gone.includes(id)));
        admit(gone);
        while (decoder.held.length > 0) await advance();
        for (const id of seeds.slice(0, 8)) assert.deepEqual(texts.get(id), plain[id], `row ${id}`);
      });

      it('begins a row again when its plan wants that, with what the encoder gave', async () => {
        const plan: GenerationPlan = {
          ...tinyPlan,
          begin: (row, attempt) => ({ ...tinyPlan.begin(row, 0), tokensMax: attempt === 0 ? 2 : 40 }),
          finish: (row, written, attempt) =>
            written.reason === 'length' && attempt === 0 ? 'again' : tinyPlan.finish(row, written, attempt),
        };
        const parts = await write(rows, [], plan);
        assert.deepEqual(idsOf(parts), plain);
        assert.ok(parts.some(({ attempt }) => attempt === 1));
      });

      it('fails the row whose numbers are none, and no other, also later in its place', async () => {
        const poison = tinyRow(3);
        poison.tensors['pixel_values']?.data.fill(Number.NaN);
        const decoder = tinyDecoder(layout, engine, tinyPlan);
        const parts = await writeAll(decoder, [poison, ...rows]);
        assert.match((parts[0] as unknown as { type: string }).type, /non-finite-output/);
        assert.deepEqual(idsOf(parts.slice(1)), plain);
        assert.deepEqual(idsOf(await writeAll(decoder, rows)), plain);
      });

      it('fails alone the row that the encoder refuses', async () => {
        const wrong: Row = { ...tinyRow(1), context: { wrong: true } };
        const plan: GenerationPlan = {
          ...tinyPlan,
          collate(own) {
            if (own.includes(wrong)) throw new Error('told to refuse');
            return tinyPlan.collate(own);
          },
        };
        const parts = await write([...rows.slice(0, 6), wrong], [], plan);
        assert.match((parts[6] as unknown as { detail: string }).detail, /told to refuse/);
        assert.deepEqual(idsOf(parts.slice(0, 6)), plain.slice(0, 6));
      });

      it('refuses a prompt that leaves no position to write', async () => {
        const [part] = await write([tinyRow(1, 5, { promptIds: new Array(64).fill(startId) })]);
        assert.match((part as unknown as { type: string }).type, /input-too-long/);
      });
    });
  }
});

describe('rows of different size', () => {
  for (const layout of tinyLayouts)
    it(`get with ${layout} graphs in company what they get alone`, async () => {
      const engine = await openTiny(layout);
      const rows = seeds.slice(0, 12).map((seed) => tinyRow(seed, 3 + (seed % 4)));
      const together = await writeAll(tinyDecoder(layout, engine, tinyPlan), rows);
      for (const [index, row] of rows.entries()) {
        const [alone] = await writeAll(tinyDecoder(layout, engine, tinyPlan), [row]);
        assert.deepEqual(together[index]?.ids, alone?.ids, `row ${index}`);
      }
      await engine.release();
    });
});

it('lets a row that begins again go ahead of those that never began', async () => {
  const engine = await openTiny('slots');
  const isFirst = (row: Row) => row === searches[0];
  // Beams: more rows are encoded than there are slots for.
  const searches = rowsWith({ sampling: { temperature: 0, beams: 3 }, stopIds: [], tokensMax: 30 });
  const plan: GenerationPlan = {
    ...tinyPlan,
    begin: (row, attempt) => ({
      ...tinyPlan.begin(row, attempt),
      ...(isFirst(row) && { tokensMax: attempt === 0 ? 12 : 2 }),
    }),
    finish: (row, written, attempt) =>
      isFirst(row) && attempt === 0 ? 'again' : tinyPlan.finish(row, written, attempt),
  };
  const decoder = tinyDecoder('slots', engine, plan);
  decoder.admit(searches.map((row, id) => ({ id, row, rank: 0 })));
  const order: number[] = [];
  while (decoder.held.length > 0) order.push(...(await decoder.advance(1000)).finished.map(({ id }) => id));
  assert.equal(order[0], 0);
  await engine.release();
});

it('keeps its slots full while rows end at different lengths, where a cohort runs dry', async () => {
  const rowsPerStep = async (layout: 'slots' | 'merged') => {
    const engine = await openTiny(layout);
    const plan: GenerationPlan = {
      ...tinyPlan,
      begin: (row) => ({ ...tinyPlan.begin(row, 0), tokensMax: 2 + ((row.context as number) % 30), stopIds: [] }),
    };
    const decoder = tinyDecoder(layout, engine, plan);
    let [next, steps, lines] = [0, 0, 0];
    while (next < 200 || decoder.held.length > 0) {
      if (!decoder.isLockstep || decoder.held.length === 0)
        while (decoder.held.length < 8 && next < 200)
          decoder.admit([{ id: next, row: { ...tinyRow(next), context: next++ * 7 }, rank: 0 }]);
      const progress = await decoder.advance(0);
      steps += progress.lines > 0 ? 1 : 0;
      lines += progress.lines;
    }
    await engine.release();
    return lines / steps;
  };
  const [slots, cohort] = [await rowsPerStep('slots'), await rowsPerStep('merged')];
  assert.ok(slots > 7 && cohort > 4 && cohort < 6, `slots ${slots}, cohort ${cohort}`);
});
