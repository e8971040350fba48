/** What the cards of the picture models claim, asked of the running system over HTTP: drawn symbols and flowcharts that no training had. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { claimedFigure, zooFolder } from '../system/model-card.ts';
import { type RunningSystem, startSystem } from '../system/running-system.ts';
import { submitItems } from '../system/submit-items.ts';

let system: RunningSystem;

before(async () => {
  system = await startSystem({ models: ['starter-image', 'starter-diagram'] });
});
after(() => system.stop());

/** Pictures of a model's heldout folder with what they show, by a file of the folder. */
function heldout(model: string, answers: string): { items: { data: string }[]; expected: string[] } {
  const folder = join(zooFolder, model, 'heldout');
  const table = JSON.parse(readFileSync(join(folder, answers), 'utf8')) as Record<string, string>;
  const items = Object.keys(table).map((name) => ({ data: readFileSync(join(folder, name)).toString('base64') }));
  return { items, expected: Object.values(table) };
}

test('drawn symbols come back right as often as the card claims', async (t) => {
  const { items, expected } = heldout('starter-image', 'labels.json');
  const answers = await submitItems<{ label: string }[]>(system.url, 'starter-image', items);
  const right = answers.filter(({ output }, i) => output?.[0]?.label === expected[i]).length;
  const card = claimedFigure('starter-image', 'heldout_folder_accuracy');
  t.diagnostic(`${right} of ${items.length} right, the card says ${card}`);
  assert.ok(items.length >= 90);
  assert.ok(Math.abs(right / items.length - card) < 0.03);
});

test('drawn flowcharts come back as their exact text as often as the card claims', async (t) => {
  const { items, expected } = heldout('starter-diagram', 'texts.json');
  const answers = await submitItems<{ generated_text: string }>(system.url, 'starter-diagram', items);
  const right = answers.filter(({ output }, i) => output?.generated_text === expected[i]).length;
  const card = claimedFigure('starter-diagram', 'heldout_folder_exact_match');
  t.diagnostic(`${right} of ${items.length} exact, the card says ${card}`);
  assert.ok(items.length >= 40);
  // One picture may turn where two decoders of JPEG differ by a grey level.
  assert.ok(Math.abs(right / items.length - card) < 0.03);
});
