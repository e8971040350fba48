/** How often a caller who hears nothing reads the store. How it is woken is `api/routes/jobs.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import type { JobWatcher } from './job-watcher.ts';
import { OutcomeWait } from './wait-for-outcome.ts';

test('who hears nothing looks after a second, and then after twice as long each time, eight seconds at most', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const queued = { status: 'queued' } as JobRecord;
  let reads = 0;
  const store = { read: async () => ++reads && queued } as unknown as JobStore;
  const watcher = { channel: 'here', watch: () => () => {} } as unknown as JobWatcher;
  const stop = new AbortController();
  const wait = new OutcomeWait({ store, watcher, stopping: stop.signal }, { tenant: 't', id: 'i' });
  const waiting = wait.run(3_600_000, stop.signal, queued);
  const looksAt: number[] = [];
  for (let second = 1; second <= 31; second++) {
    const before = reads;
    t.mock.timers.tick(1000);
    await turn();
    if (reads > before) looksAt.push(second);
  }
  stop.abort();
  await waiting;
  assert.deepEqual(looksAt, [1, 3, 7, 15, 23, 31]);
});
