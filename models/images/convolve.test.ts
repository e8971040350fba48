import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import loadWabt from 'wabt';

test('convolve.wasm is what convolve.wat says: `npm run wasm` makes it', async () => {
  const name = (kind: string) => join(import.meta.dirname, `convolve.${kind}`);
  const { parseWat } = await loadWabt();
  const { buffer } = parseWat('convolve.wat', readFileSync(name('wat'), 'utf8')).toBinary({});
  assert.deepEqual(new Uint8Array(readFileSync(name('wasm'))), buffer);
});
