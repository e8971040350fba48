import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Problem } from '../../../../shared/problems/problem.ts';
import { type Region, regionSchema } from '../contract.ts';
import { type PictureSize, readRegions } from './regions.ts';
import { readFlorencePrompt } from './tasks.ts';

/** By transformers' Florence2Processor: parity/reference/florence_pieces.py. */
const { sentences, size, answers } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'florence.reference.json'), 'utf8'),
) as {
  sentences: readonly (readonly [prompt: string, sentence: string])[];
  size: PictureSize;
  answers: readonly { readonly task: string; readonly text: string; readonly regions: readonly Region[] }[];
};
/** Tasks of the reference's answers are bare; those that take words are asked with some. */
const kindOf = (task: string) => {
  const bare = ['<OD>', '<DENSE_REGION_CAPTION>', '<REGION_PROPOSAL>', '<OCR_WITH_REGION>'].includes(task);
  return readFlorencePrompt(bare ? task : `${task}x`).regions;
};

describe('what Florence-2 is asked', () => {
  it('is the sentence of transformers for every task, and else the prompt itself', () => {
    for (const [prompt, sentence] of sentences) assert.equal(readFlorencePrompt(prompt).sentence, sentence);
    assert.equal(sentences.length, 16);
  });

  it('is refused where a task and what stands beside it do not fit', () => {
    for (const [prompt, detail] of [
      ['<CAPTION>of the car', /takes nothing else; got "of the car"/],
      ['<OPEN_VOCABULARY_DETECTION>  ', /takes words or a region/],
    ] as const)
      assert.throws(
        () => readFlorencePrompt(prompt),
        (error) =>
          error instanceof Problem && error.errors?.[0]?.pointer === '/parameters/prompt' && detail.test(error.detail),
      );
  });

  it('keeps dollar signs of the caller as they are', () => {
    assert.equal(readFlorencePrompt('<OPEN_VOCABULARY_DETECTION>a $& sign').sentence, 'Locate a $& sign in the image.');
  });
});

describe('places in an answer', () => {
  for (const { task, text, regions } of answers)
    it(`are those of transformers for ${task}: ${text.slice(0, 60)}`, () => {
      const kind = kindOf(task);
      const found = kind ? readRegions(text, kind, size) : [];
      assert.deepEqual(found, regions);
      for (const region of found) regionSchema.parse(region);
    });

  it('begin anew behind marks that are too few, where transformers takes the last of them for a word', () => {
    const text = 'a<loc_1><loc_2><loc_3>dog<loc_0><loc_0><loc_999><loc_999>';
    assert.deepEqual(readRegions(text, 'boxes', size), [{ label: 'dog', box: [0, 0, 1279, 716] }]);
    assert.deepEqual(readRegions('a<loc_1><loc_2><loc_3>', 'polygons', size), []);
  });

  it('are found in one pass over the longest text', () => {
    const startedAt = performance.now();
    for (const kind of ['boxes', 'quads', 'polygons'] as const) readRegions('word '.repeat(20_000), kind, size);
    // Looked at again from each place it would be 10^10 steps.
    assert.ok(performance.now() - startedAt < 20_000);
  });

  it('keep letters of every script in their labels', () => {
    const [region] = readRegions('машина<loc_0><loc_0><loc_999><loc_999>', 'boxes', { width: 100, height: 50 });
    assert.deepEqual(region, { label: 'машина', box: [0, 0, 99, 49] });
  });
});
