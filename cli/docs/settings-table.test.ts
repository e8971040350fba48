/** README's settings and shared/config/settings.ts say the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../commands/run-tool.ts';
import { putSettingsTable, settingsTable } from './settings-table.ts';

const source = readFileSync(join(root, 'shared/config/settings.ts'), 'utf8');

test('README.md holds the table that the settings give', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  assert.equal(putSettingsTable(readme, source), readme, 'type: npm run docs');
});

test('every variable of the schema has a row with its default and its reason', () => {
  const table = settingsTable(source);
  const names = [...source.slice(source.indexOf('z.object({')).matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map(
    ([, name]) => name,
  );
  assert.ok(names.length >= 20, `${names.length} variables found`);
  for (const name of names)
    assert.match(table, new RegExp(`^\\|[^|]* ?\`${name}\` [^|]*\\|.*\\| .{10,} \\|$`, 'm'), name);
  assert.match(table, /^\| `HOST` `PORT` \| `127\.0\.0\.1` `8080` \| /m);
  assert.match(table, /^\| `MILLRACE_DEVICES` \| `cpu` \| /m);
  assert.match(table, /^\| `MILLRACE_UNSAFE_REDIS` \| `0` \| /m);
  assert.match(table, /^\| `MILLRACE_QUEUE_MAX` `MILLRACE_TENANT_MAX` \| `100000` `100000` \| /m);
});
