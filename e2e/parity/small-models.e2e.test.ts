/** Small exports of every architecture, asked over HTTP, give what PyTorch and transformers gave (models/parity/reference). */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { listModels, readExpected, smallModels } from '../../models/parity/expected.ts';
import { type RunningSystem, startSystem } from '../system/running-system.ts';
import { askModel } from './ask-model.ts';

const models = listModels(smallModels);

describe('parity over HTTP', () => {
  let system: RunningSystem;
  before(async () => {
    system = await startSystem({ models, env: { MODELS_DIR: smallModels } });
  });
  after(() => system.stop());

  for (const model of models) {
    it(`answers as the reference does: ${model}`, async (t) => {
      const { cases, error, faults } = await askModel(system.url, model, readExpected(smallModels, model));
      t.diagnostic(`${cases} cases, numbers within ${error.toExponential(1)}`);
      assert.deepEqual(faults, []);
    });
  }
});
