/** What a shipped model's card claims. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const zooFolder = join(import.meta.dirname, '../../models/zoo');

/** The figure that a card states in its front matter: `<name>: <number>`. */
export function claimedFigure(model: string, name: string): number {
  const card = readFileSync(join(zooFolder, model, 'README.md'), 'utf8');
  const found = new RegExp(`^\\s*${name}: ([\\d.]+)`, 'm').exec(card);
  assert.ok(found, `the card of ${model} states no ${name}`);
  return Number(found[1]);
}
