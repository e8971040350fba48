import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareLogits } from './compare-logits.ts';
import { listModels, logitsTolerance, readExpected, smallModels } from './expected.ts';

describe('logits of small models', () => {
  for (const model of listModels(smallModels)) {
    const expected = readExpected(smallModels, model);
    it(`are PyTorch's, alone and in a padded batch: ${model}`, async (t) => {
      const error = await compareLogits(smallModels, model, expected);
      if (error === null) return t.skip('its answers show them: e2e/parity');
      t.diagnostic(`within ${error.toExponential(1)}`);
      assert.ok(error <= logitsTolerance, `${error}`);
    });
  }
});
