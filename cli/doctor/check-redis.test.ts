import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../shared/testing/free-port.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { checkRedis, judgeClock } from './check-redis.ts';
import { assertBroken, find } from './testing/assert-finding.ts';

describe('doctor: redis', () => {
  let redis: TestRedis;
  before(async () => {
    redis = await startTestRedis();
    await set(redis.url, 'requirepass', 'secret-of-the-test');
  });
  after(() => redis.stop());
  const place = (at: string, mayLose = false) => ({ url: at, cli: 'redis-cli -u "$REDIS_URL"', mayLose });
  const url = () => `redis://:secret-of-the-test@127.0.0.1:${redis.port}`;
  const set = async (at: string, ...words: string[]) => {
    const { connectProducer, untilReady } = await import('../../shared/redis/connection.ts');
    const { createLogger } = await import('../../shared/observability/logger.ts');
    const client = connectProducer(at, createLogger('test', 'silent'));
    await untilReady(client, 30_000);
    await client.call('CONFIG', 'SET', ...words);
    client.disconnect();
  };

  it('is well, with its version, and never shows the password', async () => {
    const findings = await checkRedis(place(url()));
    // How quick it is depends on what else the machine does: judged by its own test below.
    const steady = findings.filter(({ name }) => name !== 'redis latency');
    const levels = Object.fromEntries(steady.map(({ name, level }) => [name, level]));
    assert.deepEqual(levels, {
      redis: 'ok',
      'redis durable': 'ok',
      'redis memory': 'warn',
      'redis clock': 'ok',
    });
    assert.match(find(findings, 'redis').detail, /^\d+\.\d+\.\d+ at 127\.0\.0\.1:/);
    assert.match(find(findings, 'redis memory').detail, /no maxmemory/);
    assert.doesNotMatch(JSON.stringify(findings), /secret-of-the-test/);
  });

  it('says the command where it can lose jobs', async () => {
    await set(url(), 'appendfsync', 'everysec');
    const finding = find(await checkRedis(place(url())), 'redis durable');
    assertBroken(
      finding,
      'fail',
      /appendfsync is "everysec"/,
      /^redis-cli -u "\$REDIS_URL" CONFIG SET appendfsync always$/,
    );
    assert.equal(find(await checkRedis(place(url(), true)), 'redis durable').level, 'warn', 'MILLRACE_UNSAFE_REDIS=1');
    await set(url(), 'appendfsync', 'always');
    await set(url(), 'maxmemory-policy', 'allkeys-lru');
    assertBroken(
      find(await checkRedis(place(url())), 'redis durable'),
      'fail',
      /allkeys-lru/,
      /maxmemory-policy noeviction/,
    );
    await set(url(), 'maxmemory-policy', 'noeviction');
  });

  it('fails when memory is past what admission allows', async () => {
    await set(url(), 'maxmemory', '1mb');
    assertBroken(
      find(await checkRedis(place(url())), 'redis memory'),
      'fail',
      /admission closes at 70 %/,
      /maxmemory \d+mb/,
    );
    await set(url(), 'maxmemory', '1gb');
    assert.equal(find(await checkRedis(place(url())), 'redis memory').level, 'ok');
  });

  it('tells a refused password from a server that is not there', async () => {
    const wrong = await checkRedis(place(`redis://:wrong@127.0.0.1:${redis.port}`));
    assertBroken(find(wrong, 'redis'), 'fail', /refuses the password/, /REDIS_URL/);
    const nobody = await checkRedis(place(`redis://127.0.0.1:${await freePort()}`));
    assertBroken(find(nobody, 'redis'), 'fail', /does not answer/, /REDIS_URL/);
  });

  it('warns of a slow way to Redis', async () => {
    const slow = createServer((socket) => {
      const upstream = connect(redis.port, '127.0.0.1');
      socket.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
      upstream.on('error', () => socket.destroy()).pipe(socket);
      socket.on('data', (chunk) => void sleep(8).then(() => upstream.writable && upstream.write(chunk)));
    });
    after(() => slow.close());
    await once(slow.listen(0, '127.0.0.1'), 'listening');
    const { port } = slow.address() as AddressInfo;
    const findings = await checkRedis(place(url().replace(String(redis.port), String(port))));
    assertBroken(find(findings, 'redis latency'), 'warn', /ms a round trip/, /redis-cli/);
  });

  it('judges the clock by its distance', () => {
    assert.equal(judgeClock(-40).level, 'ok');
    assertBroken(judgeClock(-2000), 'warn', /2000 ms behind ours/, /timedatectl/);
    assertBroken(judgeClock(60_000), 'fail', /60000 ms ahead/, /timedatectl/);
  });
});
