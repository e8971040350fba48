/** What the card of starter-embed claims, asked of the running system over HTTP: sentence pairs, English and Russian. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { skipWithoutAssets } from '../../shared/testing/assets.ts';
import { claimedFigure } from '../system/model-card.ts';
import { type RunningSystem, startSystem } from '../system/running-system.ts';
import { correlatePairs, pairsFolder } from './sentence-pairs.ts';

let system: RunningSystem;

before(async () => {
  system = await startSystem({ models: ['starter-embed'] });
});
after(() => system.stop());

for (const language of ['en', 'ru'] as const) {
  test(`pairs of sentences (${language}) are as alike as the card claims`, {
    skip: skipWithoutAssets(pairsFolder),
  }, async (t) => {
    const found = await correlatePairs(system.url, 'starter-embed', { language, step: 5 });
    const card = claimedFigure('starter-embed', `stsb_dev_${language}_every_fifth`);
    t.diagnostic(`Spearman ${found.toFixed(4)}, the card says ${card}`);
    assert.ok(Math.abs(found - card) < 0.005);
  });
}
