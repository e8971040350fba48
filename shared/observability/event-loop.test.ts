import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { waitUntil } from '../testing/wait-until.ts';
import { watchEventLoop } from './event-loop.ts';

test('a loop blocked for 0.6 s is late for every timer that fell due in it, not for one', async () => {
  const registry = new Registry();
  const begunMs = performance.now();
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
  // A busy machine makes it later than that: never more ticks than there was time for beyond the bound.
  const ticksMax = (bound: number) => (performance.now() - begunMs - bound) / 20 + 1;
  assert.ok(half >= 3 && half <= ticksMax(500), `${half} over 0.5 s`);
  assert.ok(quarter >= 15 && quarter <= ticksMax(250), `${quarter} over 0.25 s`);
});

test('an idle loop counts as many ticks as a busy one, though it is asked seldom', async () => {
  const registry = new Registry();
  watchEventLoop(registry);
  const ticks = async () =>
    Number(/^inference_event_loop_delay_seconds_count (\d+)$/m.exec(await registry.metrics())?.[1] ?? 0);
  await waitUntil('the loop was found idle', async () => (await ticks()) > 10);
  const before = await ticks();
  const startedMs = performance.now();
  await sleep(1000);
  const counted = (await ticks()) - before;
  const due = (performance.now() - startedMs) / 20;
  assert.ok(counted >= 0.7 * due && counted <= 1.2 * due, `${counted} ticks of ${due.toFixed(0)}`);
});
