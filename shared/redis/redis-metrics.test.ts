import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { createRegistry, type Registry } from '../observability/metrics.ts';
import { startTestRedis, type TestRedis } from '../testing/redis.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { exposeConnection, exposeRedisServer, type RedisWatch, watchRedis } from './redis-metrics.ts';

describe('what is seen of Redis', () => {
  let server: TestRedis;
  let redis: Redis;
  let registry: Registry;
  let watch: RedisWatch;
  before(async () => {
    server = await startTestRedis(['--maxmemory', '100mb']);
    redis = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    redis.on('error', () => {});
    registry = createRegistry('api', 'test');
    watch = watchRedis(registry, redis);
    exposeRedisServer(registry, redis);
  });
  after(async () => {
    watch.stop();
    watch.stop();
    redis.disconnect();
    await server.stop();
  });

  const read = async (name: string) => {
    const line = (await registry.metrics()).split('\n').find((each) => each.startsWith(`${name}{`));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
  };

  it('tells memory and the append-only file', async () => {
    assert.ok(((await read('inference_redis_memory_bytes')) ?? 0) > 100_000);
    assert.equal(await read('inference_redis_memory_max_bytes'), 100 * 2 ** 20);
    for (const name of ['connected', 'aof_enabled', 'aof_write_ok', 'aof_rewrite_ok'])
      assert.equal(await read(`inference_redis_${name}`), 1, name);
    await redis.config('SET', 'appendonly', 'no');
    await waitUntil('it is seen', async () => (await read('inference_redis_aof_enabled')) === 0);
  });

  it('times a write each second, and a slow one by how long it took', async () => {
    await waitUntil('one was timed', async () => ((await read('inference_redis_write_seconds_count')) ?? 0) > 0);
    const probe = new Redis(server.url);
    await probe.call('DEBUG', 'SLEEP', '1.2');
    probe.disconnect();
    await waitUntil(
      'the slow one is seen',
      async () => ((await read('inference_redis_write_seconds_sum')) ?? 0) > 0.15,
    );
  });

  it('answers a scrape while Redis hangs, without what only Redis knows', { timeout: 60_000 }, async () => {
    server.process().kill('SIGSTOP');
    try {
      await new Promise((resolve) => setTimeout(resolve, 600)); // beyond what one scrape shares
      // One that waited for Redis would never end: it goes on only when this test lets it.
      assert.equal(await read('inference_redis_memory_bytes'), undefined);
      assert.equal(await read('inference_redis_connected'), 1, 'the socket is still open');
    } finally {
      server.process().kill('SIGCONT');
    }
  });

  it('writes nothing for a process that only tells of its connection', async () => {
    const quiet = createRegistry('log', 'test');
    exposeConnection(quiet, redis);
    const text = await quiet.metrics();
    assert.match(text, /^inference_redis_connected\{.*\} 1$/m);
    assert.doesNotMatch(text, /inference_redis_write_seconds/);
  });

  it('says when the connection is lost', async () => {
    server.process().kill('SIGKILL');
    await waitUntil('it is seen', async () => (await read('inference_redis_connected')) === 0);
    await server.restart();
    await waitUntil('it is back', async () => (await read('inference_redis_connected')) === 1);
  });
});
