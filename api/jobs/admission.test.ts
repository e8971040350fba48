/** Who is let in at once, and who waits for company, on a real Redis. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../shared/jobs/keys.ts';
import { JobQueues } from '../../shared/jobs/queues.ts';
import { openTestStore } from '../../shared/testing/test-store.ts';
import { AdmissionGate } from './admission.ts';

const { redis } = await openTestStore();

test('only a job that waits behind others anyway waits for company', async () => {
  const queues = new JobQueues(redis);
  const gate = new AdmissionGate({ redis, queues, models: () => ['m'], queueMax: 100, ageMaxSeconds: 60 });
  const lingers: number[] = [];
  for (const unfinished of [0, 7, 8]) {
    await redis.hset(keys.live, 'q:m.normal', unfinished);
    await gate.poll();
    lingers.push(gate.lingerMsFor('m', 'normal'), gate.lingerMsFor('m', 'high'));
  }
  assert.deepEqual(lingers, [0, 0, 0, 0, 2, 0]);
  await queues.close();
});
