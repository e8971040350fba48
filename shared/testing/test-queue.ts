/** The queue that jobs of `jobRequest` wait in, on a Redis of its own that is empty before each test of the file. */
import { beforeEach } from 'node:test';
import type { JobRequest } from '../jobs/job.ts';
import { keys } from '../jobs/keys.ts';
import type { AdmitOptions } from '../jobs/store/words.ts';
import { jobRequest } from './job-request.ts';
import { openTestStore } from './test-store.ts';

export async function openTestQueue() {
  const { redis, store } = await openTestStore();
  beforeEach(() => redis.flushall());
  const queue = 'm.normal';
  return {
    redis,
    store,
    queue,
    /** BullMQ's keys begin with it. */
    base: `${keys.queuePrefix}:${queue}`,
    /** A job of one text; its id. */
    async admit(extra: Partial<JobRequest> = {}, text = 'hi', options: Partial<AdmitOptions> = {}): Promise<string> {
      const job = jobRequest(extra);
      await store.admit(job, { input: [{ kind: 'text', text }], queueMax: 1e6, tenantMax: 1e6, ...options });
      return job.id;
    },
  };
}
