import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loginPage } from './login-page.ts';

test('tells a stranger the name of the token file, and not the folder it lies in', () => {
  const page = loginPage({ next: '/admin', fault: undefined, tokenFile: '/srv/secret-place/admin-token' });
  assert.match(page, /<code>admin-token<\/code>/);
  assert.doesNotMatch(page, /secret-place/);
});
