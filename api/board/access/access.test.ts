/** The parts of the gate that are pure. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttemptLimit } from './attempt-limit.ts';
import { isSameOrigin, KnownHosts } from './known-hosts.ts';
import { nextPath } from './next-path.ts';
import { Sessions } from './sessions.ts';

const nowMs = 1_800_000_000_000;
const minuteMs = 60_000;

test('a session is good for an hour after its last use, and for twelve in all', () => {
  const sessions = new Sessions();
  const session = sessions.open(nowMs);
  const cookie = sessions.seal(session);
  assert.deepEqual(sessions.read(cookie, nowMs + 59 * minuteMs), session);
  assert.equal(sessions.read(cookie, nowMs + 61 * minuteMs), undefined);
  assert.equal(sessions.renewed(session, nowMs + 20 * minuteMs), undefined);
  let last = session;
  for (let minutes = 40; minutes < 12 * 60; minutes += 40) {
    last = sessions.renewed(last, nowMs + minutes * minuteMs) ?? last;
    assert.ok(sessions.read(sessions.seal(last), nowMs + minutes * minuteMs), `${minutes} minutes`);
  }
  const late = { ...last, expiresMs: nowMs + 13 * 60 * minuteMs };
  assert.equal(sessions.read(sessions.seal(late), nowMs + 12 * 60 * minuteMs), undefined);
});

test('a session that was changed, made elsewhere or logged out is none', () => {
  const sessions = new Sessions();
  const session = sessions.open(nowMs);
  const cookie = sessions.seal(session);
  const [nonce, login, expires, signature] = cookie.split('.');
  for (const forged of [
    '',
    `${nonce}.${login}.${Number(expires) + 1}.${signature}`,
    `${nonce}.${login}.${expires}.`,
    `${cookie}x`,
    new Sessions().seal(session),
  ]) {
    assert.equal(sessions.read(forged, nowMs), undefined, forged);
  }
  sessions.close(session);
  assert.equal(sessions.read(cookie, nowMs), undefined);
  assert.notEqual(sessions.open(nowMs).nonce, sessions.open(nowMs).nonce);
});

test('a form token is of one session', () => {
  const sessions = new Sessions();
  const [mine, other] = [sessions.open(nowMs), sessions.open(nowMs)];
  assert.equal(sessions.isFormToken(mine, sessions.formToken(mine)), true);
  assert.equal(sessions.isFormToken(mine, sessions.formToken(other)), false);
  assert.equal(sessions.isFormToken(mine, ''), false);
});

test('ten wrong tokens a minute from one address, and a hundred from all', () => {
  const limit = new AttemptLimit();
  for (let i = 0; i < 10; i++) {
    assert.equal(limit.secondsToWait('a', nowMs), 0);
    limit.countWrong('a', nowMs);
  }
  assert.equal(limit.secondsToWait('a', nowMs + 10_000), 50);
  assert.equal(limit.secondsToWait('b', nowMs), 0, 'others may go on');
  assert.equal(limit.secondsToWait('a', nowMs + minuteMs), 0);
  for (let i = 0; i < 90; i++) limit.countWrong(`peer${i}`, nowMs);
  assert.equal(limit.secondsToWait('b', nowMs), 60);
});

test('only names that are ours, and addresses, are known', () => {
  const hosts = new KnownHosts('ops-box', 'https://ops.example:8443/x');
  for (const host of [
    'localhost:8081',
    '127.0.0.1:8081',
    '[::1]:8081',
    '10.1.2.3',
    'OPS-BOX:8081',
    'ops.example',
    'a.localhost',
  ])
    assert.equal(hosts.has(host), true, host);
  for (const host of ['evil.example:8081', '', undefined, 'localhost.evil.example', '127.0.0.1.evil.example'])
    assert.equal(hosts.has(host), false, host);
});

test('a request that a page elsewhere made is told from ours', () => {
  const host = '127.0.0.1:8081';
  for (const headers of [
    { host },
    { host, origin: 'http://127.0.0.1:8081', 'sec-fetch-site': 'same-origin' },
    { host, origin: 'https://127.0.0.1:8081' },
  ])
    assert.equal(isSameOrigin(headers), true);
  for (const headers of [
    { host, origin: 'null' },
    { host, origin: 'http://evil.example' },
    { host, origin: 'http://127.0.0.1:8080', 'sec-fetch-site': 'same-site' },
    { host, 'sec-fetch-site': 'cross-site' },
  ])
    assert.equal(isSameOrigin(headers), false, JSON.stringify(headers));
});

test('a login leads to pages of ours only', () => {
  assert.equal(nextPath('/admin/jobs/default/job_1?x=1'), '/admin/jobs/default/job_1?x=1');
  for (const wish of [
    null,
    '',
    '//evil.example/admin',
    '/\\evil.example/admin',
    'https://evil.example/admin',
    '/administrator',
    '/admin/../metrics',
    '/admin/%2e%2e/metrics',
    'javascript:alert(1)',
    '/admin/logout',
    '/admin\n/x',
  ])
    assert.equal(nextPath(wish), '/admin', String(wish));
});
