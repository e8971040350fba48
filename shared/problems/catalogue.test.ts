import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { problemCatalogue } from './catalogue.ts';

test('every row of every family is in the catalogue, and no slug stands in two families', async () => {
  const folder = join(import.meta.dirname, 'rows');
  const slugs: string[] = [];
  for (const file of globSync('*-problems.ts', { cwd: folder })) {
    const [family] = Object.values((await import(join(folder, file))) as Record<string, object>);
    slugs.push(...Object.keys(family ?? {}));
  }
  assert.deepEqual(slugs.sort(), Object.keys(problemCatalogue).sort());
});
