import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { waitUntil } from '../testing/wait-until.ts';
import { watchEventLoop } from './event-loop.ts';

test('a loop blocked for 0.6 s is late for every timer that fell due in it, not for one', async () => {
  const registry = new Registry();
  watchEventLoop(registry);
  const late = async (bound: string) => {
    const text = await registry.metrics();
    const read = (le: string) =>
      Number(
        new RegExp(`^inference_event_loop_delay_seconds_bucket\\{le="${le}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0,
      );
    return read('\\+Inf') - read(bound);
  };
  await waitUntil('the watch runs', async () => (await late('0')) > 0);
  const untilMs = performance.now() + 600;
  while (performance.now() < untilMs);
  await waitUntil('the block was seen', async () => (await late('0.5')) > 0);
  const [half, quarter] = [await late('0.5'), await late('0.25')];
  assert.ok(half >= 3 && half <= 10, `${half} over 0.5 s`);
  assert.ok(quarter >= 15 && quarter <= 25, `${quarter} over 0.25 s`);
});
