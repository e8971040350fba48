import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

/** Prints every npm package that importing a file loads. */
const listPackages = `
  import { registerHooks } from 'node:module';
  const packages = new Set();
  registerHooks({ resolve(specifier, context, next) {
    const found = next(specifier, context);
    const match = /node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(found.url);
    if (match) packages.add(match[1]);
    return found;
  } });
  await import(process.argv[1]);
  console.log(JSON.stringify([...packages]));
`;

describe('a lane', () => {
  for (const entry of readdirSync(import.meta.dirname, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    it(`loads no package at all with the pipeline of ${entry.name}`, async () => {
      const path = join(import.meta.dirname, entry.name, 'pipeline.ts');
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', listPackages, path]);
      assert.deepEqual(JSON.parse(stdout), []);
    });
  }
});
