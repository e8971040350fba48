import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeMemory } from '../../models/free-memory.ts';
import type { Decoder } from '../../models/generation/decoder.ts';
import { createRandom } from '../simulator/random.ts';
import { writeBatch } from './plain-loop.ts';
import { meanPosition, raggedTokens, tokensMin, tokensMost } from './ragged.ts';
import { RaggedStream, type Rule } from './ragged-stream.ts';
import { recordStep } from './step-limit.ts';
import { openStock } from './subjects.ts';
import { callsOf } from './transformers-js.ts';

/** Writes one token of each held row per step; a row's context is its length. */
function countingDecoder(): Decoder {
  const left = new Map<number, number>();
  return {
    slots: 16,
    isLockstep: false,
    get held() {
      return [...left.keys()];
    },
    admit(admissions) {
      for (const { id, row } of admissions) left.set(id, row.context as number);
      return [];
    },
    evict() {},
    async advance() {
      const lines = left.size;
      for (const [id, tokens] of left) {
        if (tokens > 1) left.set(id, tokens - 1);
        else left.delete(id);
      }
      return { finished: [], lines, tokens: lines };
    },
  };
}

async function workOf(rule: Rule, texts: number[], steps: number) {
  const nextTokens = () => texts.shift() ?? 100;
  const rowOf = (tokens: number) => ({ tensors: {}, length: 1, shapeKey: '', context: tokens });
  const stream = new RaggedStream(countingDecoder(), { rule, atOnce: () => 2, nextTokens, rowOf });
  return await stream.run(() => --steps <= 0);
}

test('a static batch lasts as long as its longest row, and padding is not counted as written', async () => {
  assert.deepEqual(await workOf('static', [3, 1, 2, 5], 1), { tokens: 4, lines: 6, steps: 3 });
  assert.deepEqual(await workOf('static', [3, 1, 2, 5], 4), { tokens: 11, lines: 16, steps: 8 });
});

test('rows that leave a batch cost nothing more, and nobody takes their place', async () => {
  assert.deepEqual(await workOf('evict', [3, 1, 2, 5], 4), { tokens: 11, lines: 11, steps: 8 });
});

test('where places are refilled each step is full, and a block ends between two steps', async () => {
  assert.deepEqual(await workOf('refill', [3, 1, 2, 5], 4), { tokens: 8, lines: 8, steps: 4 });
});

test('lengths are spread evenly over their range, and the average token stands where the long texts put it', () => {
  const random = createRandom(5);
  const texts = Array.from({ length: 20_000 }, () => raggedTokens(random));
  assert.deepEqual([Math.min(...texts), Math.max(...texts)], [tokensMin, tokensMost]);
  const mean = texts.reduce((sum, length) => sum + length, 0) / texts.length;
  assert.ok(Math.abs(mean - 34) < 0.5, `mean ${mean}`);
  assert.equal(meanPosition([1, 5]), 10 / 6);
});

test("a call of transformers.js writes for all its texts what the longest wants, and the others' padding is not counted", async () => {
  const calls: [number, number][] = [];
  const write = async (texts: number, tokens: number) => {
    calls.push([texts, tokens]);
    return [];
  };
  const texts = [3, 1, 2, 5, 4];
  const nextTokens = () => texts.shift() as number;
  assert.deepEqual(await callsOf(write, 2, nextTokens)(() => calls.length === 2), { tokens: 11, lines: 16, steps: 8 });
  assert.deepEqual(await callsOf(write, 1, nextTokens)(() => true), { tokens: 4, lines: 4, steps: 4 });
  assert.deepEqual(calls, [
    [2, 3],
    [2, 5],
    [1, 4],
  ]);
});

test('the loop written by hand writes what was asked for, and a recorded step can be run again', async () => {
  const subject = await openStock();
  assert.deepEqual(await writeBatch(subject, [3, 1, 5]), { tokens: 9, lines: 9, steps: 5 });
  const step = await recordStep(subject, 4, 10);
  await step();
  await step();
});

test('what the encoder gave is there for the next text too, though the one before gave it back', async () => {
  const { engine, plan, row } = await openStock();
  const encode = async () => Object.values(await engine.run('encoder', plan.collate([row(3), row(3)])));
  const before = (await encode()).map(({ data }) => data.length);
  for (const { data } of await encode()) freeMemory(data);
  assert.deepEqual(
    (await encode()).map(({ data }) => data.length),
    before,
  );
  assert.ok(Math.min(...before) > 0);
});
