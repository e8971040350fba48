/** The token that nobody chose: made once, kept for its owner alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { resolveAdminToken } from './admin-token.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'millrace-token-'));
after(() => rmSync(dataDir, { recursive: true, force: true }));
const file = join(dataDir, 'admin-token');
const adminToken = undefined;

test('a chosen token is taken as it is, and leaves no file', () => {
  assert.deepEqual(resolveAdminToken({ adminToken: 'chosen-by-somebody', dataDir }), {
    token: 'chosen-by-somebody',
    file: undefined,
  });
  assert.deepEqual(readdirSync(dataDir), []);
});

test('a token is made once, and is the same from then on, readable by its owner only', () => {
  const first = resolveAdminToken({ adminToken, dataDir: join(dataDir, 'not', 'there', 'yet') });
  assert.ok(first.token.length >= 32);
  const { token } = resolveAdminToken({ adminToken, dataDir });
  assert.notEqual(token, first.token);
  assert.deepEqual(resolveAdminToken({ adminToken, dataDir }), { token, file });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(dataDir).sort(), ['admin-token', 'not'], 'no draft is left');
});

test('a file that others could read is closed, and one that was cut short is made anew', () => {
  writeFileSync(file, 'a-token-from-somewhere\n', { mode: 0o644 });
  assert.equal(resolveAdminToken({ adminToken, dataDir }).token, 'a-token-from-somewhere');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  writeFileSync(file, 'short\n');
  assert.ok(resolveAdminToken({ adminToken, dataDir }).token.length >= 32);
});
