/** A job store on a Redis of its own for the tests of one file, gone after the last of them. */
import { after } from 'node:test';
import { Redis } from 'ioredis';
import { JobStore } from '../jobs/store/job-store.ts';
import { startTestRedis } from './redis.ts';

export async function openTestStore(): Promise<{ readonly redis: Redis; readonly store: JobStore }> {
  const server = await startTestRedis();
  const redis = new Redis(server.url, { maxRetriesPerRequest: null });
  after(async () => {
    redis.disconnect();
    await server.stop();
  });
  return { redis, store: new JobStore(redis) };
}
