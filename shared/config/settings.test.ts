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

test('every fault is named at once, in words', () => {
  assert.throws(
    () => readSettings({ PORT: 'abc', ADMIN_PORT: '99999', HOST: '0.0.0.0', MILLRACE_API_KEYS: 'short' }),
    (error: Error) =>
      /PORT: a number is expected/.test(error.message) &&
      /ADMIN_PORT: .*65535/.test(error.message) &&
      /5 characters; 16 are the least/.test(error.message) &&
      !/NaN/.test(error.message),
  );
  assert.throws(() => readSettings({ HOST: '0.0.0.0' }), /MILLRACE_API_KEYS is empty/);
});

test('models are looked for in the folders of MODELS_DIR, else in the data folder, and last among those that ship', () => {
  const none = readSettings({ MILLRACE_DATA: '/data' });
  assert.deepEqual(none.modelDirs.slice(0, -1), ['/data/models']);
  const two = readSettings({ MODELS_DIR: '/mine:/ours' });
  assert.deepEqual([two.modelHome, ...two.modelDirs.slice(0, -1)], ['/mine', '/mine', '/ours']);
  assert.match(two.modelDirs.at(-1) ?? '', /models\/zoo$/);
});
