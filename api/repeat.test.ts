/** What must happen again and again: never twice at once, and not after the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { Repeat } from './repeat.ts';

test('work begins again after it ended, never beside itself, and not once it is stopped', async () => {
  let begun = 0;
  let ended = 0;
  const third = Promise.withResolvers<void>();
  const repeat = new Repeat(2, async () => {
    assert.equal(begun++, ended, 'it runs beside itself');
    await sleep(20);
    if (begun === 3) await third.promise;
    ended++;
  });
  repeat.start();
  assert.equal(begun, 0);
  await waitUntil('a third is under way', () => begun === 3);
  assert.equal(ended, 2);
  const stopping = repeat.stop();
  third.resolve();
  await stopping;
  assert.equal(ended, 3);
  await sleep(30);
  assert.equal(begun, 3);
});

test('work that is stopped in its pause does not begin', async () => {
  let begun = 0;
  const repeat = new Repeat(10, async () => {
    begun++;
  });
  repeat.start();
  await repeat.stop();
  await sleep(30);
  assert.equal(begun, 0);
});
