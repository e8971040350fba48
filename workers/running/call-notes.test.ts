/** Whoever is on board of a call is noted in Redis, and nobody else, with as few writes as that takes. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { keys } from '../../shared/jobs/keys.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { CallNotes } from './call-notes.ts';
import type { QueuedRow } from './running-job.ts';

const longMs = 10;
const shortMs = 1;
/** An idle lane's note is taken back after 5 ms; this is later. */
const laterMs = 40;

let server: TestRedis;
let redis: Redis;
let notes: CallNotes;
before(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url);
});
after(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await redis.flushall();
  notes = new CallNotes(redis, 'w');
});

const row = (name: string, suspect = false) => ({ suspect, item: { job: { name } } }) as unknown as QueuedRow;
const writes = async () => Number(/cmdstat_hset:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
const noted = () => redis.hget(keys.calls, 'w/lane-0');

test('a long call is noted with each of its jobs once, and an idle lane has no note', async () => {
  notes.open('lane-0', [row('t/a'), row('t/b'), row('t/a')], longMs);
  assert.equal(await noted(), 't/a,t/b');
  notes.close('lane-0', false);
  await waitUntil('the note is gone', async () => (await noted()) === null);
});

test('calls with the same jobs on board are one note, as of rows that are written token by token', async () => {
  const commandsBefore = await writes();
  for (let call = 0; call < 5; call++) {
    notes.open('lane-0', [row('t/a'), row('t/b')], longMs);
    notes.close('lane-0', false);
  }
  assert.equal(await noted(), 't/a,t/b');
  assert.equal((await writes()) - commandsBefore, 1);
  await waitUntil('the note is gone', async () => (await noted()) === null);
});

test('the next call overwrites the note, which is not taken back under it', async () => {
  notes.open('lane-0', [row('t/a')], longMs);
  notes.close('lane-0', false);
  notes.open('lane-0', [row('t/b')], longMs);
  await sleep(laterMs);
  assert.equal(await noted(), 't/b');
});

test('a short call is noted for a suspect only, and the jobs of the call before are not blamed for it', async () => {
  notes.open('lane-0', [row('t/a')], longMs);
  notes.close('lane-0', false);
  notes.open('lane-0', [row('t/b')], shortMs);
  assert.equal(await noted(), null);
  notes.close('lane-0', false);
  notes.open('lane-0', [row('t/c', true)], shortMs);
  assert.equal(await noted(), 't/c');
});

test('the note goes at once when the lane died, and when the worker stops', async () => {
  notes.open('lane-0', [row('t/a')], longMs);
  notes.close('lane-0', true);
  assert.equal(await noted(), null);
  notes.open('lane-0', [row('t/b')], longMs);
  await notes.stop();
  assert.equal(await noted(), null);
});
