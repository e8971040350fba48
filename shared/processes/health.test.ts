import assert from 'node:assert/strict';
import { test } from 'node:test';
import { broken, examineRedis, Health, well } from './health.ts';

test('is ready only when every check is, and names the broken one with its fix', async () => {
  const health = new Health();
  health.add('redis', () => well('answers'));
  assert.equal((await health.report()).status, 'ready');
  health.add('lanes', async () => broken('none runs', 'Look at the log.'));
  const report = await health.report();
  assert.equal(report.status, 'not-ready');
  assert.deepEqual(report.checks, [
    { name: 'redis', ok: true, detail: 'answers', fix: null },
    { name: 'lanes', ok: false, detail: 'none runs', fix: 'Look at the log.' },
  ]);
});

test('a check that throws or hangs is broken, and the others still answer', async () => {
  const health = new Health(30);
  health.add('throws', () => {
    throw new Error('no such part');
  });
  health.add('hangs', () => new Promise(() => {}));
  health.add('well', () => well('here'));
  const { checks } = await health.report();
  assert.deepEqual(
    checks.map(({ ok, detail }) => [ok, detail]),
    [
      [false, 'no such part'],
      [false, 'no answer within 30 ms'],
      [true, 'here'],
    ],
  );
});

test('a Redis that refuses is broken, and says what to do', async () => {
  const refuses = { ping: () => Promise.reject(new Error('connection refused')) };
  const finding = await examineRedis(refuses)();
  assert.deepEqual([finding.ok, finding.fix], [false, 'Start redis-server, or correct REDIS_URL.']);
});

test('a name is taken once', () => {
  const health = new Health();
  health.add('redis', () => well(''));
  assert.throws(() => health.add('redis', () => well('')), /there already/);
});
