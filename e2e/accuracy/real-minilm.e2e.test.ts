/** The figures stated for the real all-MiniLM-L6-v2, asked of the running system over HTTP: fp32 in company, int8 alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { assetsFolder, skipWithoutAssets } from '../../shared/testing/assets.ts';
import { type RunningSystem, startSystem } from '../system/running-system.ts';
import { correlatePairs, pairsFolder } from './sentence-pairs.ts';

const skip = skipWithoutAssets('models/all-MiniLM-L6-v2') || skipWithoutAssets(pairsFolder);

/** STS-B dev, English, as the README beside the weights states it. */
const stated = { fp32: 0.867, q8: 0.865 };

describe('the real all-MiniLM-L6-v2', { skip }, () => {
  let system: RunningSystem;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'minilm-'));
    for (const dtype of Object.keys(stated)) await layModel(join(folder, dtype), dtype);
    system = await startSystem({ models: Object.keys(stated), env: { MODELS_DIR: folder } });
  });
  after(async () => {
    await system.stop();
    rmSync(folder, { recursive: true });
  });

  for (const [dtype, figure] of Object.entries(stated)) {
    it(`orders pairs of sentences as people do to ${figure} (${dtype})`, async (t) => {
      const found = await correlatePairs(system.url, dtype, { language: 'en', step: 1 });
      t.diagnostic(`Spearman ${found.toFixed(4)}`);
      assert.ok(Math.abs(found - figure) < 0.0015, `${found}`);
    });
  }
});

/** Links to the model's files beside a manifest that names the dtype. */
async function layModel(folder: string, dtype: string): Promise<void> {
  const model = join(assetsFolder(), 'models/all-MiniLM-L6-v2');
  await mkdir(folder);
  for (const name of readdirSync(model)) symlinkSync(join(model, name), join(folder, name));
  writeFileSync(join(folder, 'manifest.yaml'), `task: feature-extraction\ndtype: ${dtype}\n`);
}
