import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings, SettingsError } from './settings.ts';

test('a key names one tenant: the same key for two refuses to start, without showing it', () => {
  const key = 'the-same-key-for-two';
  assert.throws(
    () => readSettings({ MILLRACE_API_KEYS: `ours=${key},theirs=${key}` }),
    (error) => error instanceof SettingsError && /ours.*theirs/.test(error.message) && !error.message.includes(key),
  );
  assert.equal(readSettings({ MILLRACE_API_KEYS: `ours=${key},ours=${key}-2` }).apiKeys.length, 2);
});
