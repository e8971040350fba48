import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { startTestRedis, type TestRedis } from '../testing/redis.ts';
import { createLogger } from './logger.ts';

let server: TestRedis;
before(async () => {
  server = await startTestRedis();
});
after(() => server.stop());

describe('the log', () => {
  it('keeps out what a refused Redis command carried: inputs of jobs, passwords', async () => {
    const redis = new Redis(server.url);
    const lines: string[] = [];
    const logger = createLogger('api', 'info', { write: (line) => void lines.push(line) });
    try {
      await redis.lpush('list', 'x');
      await redis.set('list', 'something private', 'BOGUS' as 'GET');
      assert.fail('Redis took a wrong command');
    } catch (error) {
      logger.error({ err: error }, 'unexpected error');
    } finally {
      redis.disconnect();
    }
    assert.match(lines.join(''), /syntax error/);
    assert.doesNotMatch(lines.join(''), /something private/);
  });
});
