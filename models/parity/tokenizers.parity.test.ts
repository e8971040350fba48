/** Every normaliser, pre-tokeniser, model and kind of added token, on texts that break them: as Python has it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compareTokenizers } from './compare-tokenizers.ts';
import { fixturesFolder } from './expected.ts';

describe("tokenisers, against Python's", () => {
  const results = compareTokenizers(join(fixturesFolder, 'tokenizers.json.gz'));
  for (const { name, texts, wider, faults } of results) {
    it(`gives the same ids, words and offsets: ${name}`, (t) => {
      t.diagnostic(`${texts} texts, ${wider} of them with a wider offset`);
      assert.deepEqual(faults, []);
    });
  }
});
