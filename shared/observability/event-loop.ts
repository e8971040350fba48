/**
 * How long this process's event loop is kept from its work: a timer that is due every 20 ms says by how much it came
 * late. A histogram, so that any quantile over any span can be read from two scrapes.
 *
 * A loop with nothing to do is asked every 100 ms, and each answer counts five times: 50 wake-ups a second cost an idle
 * process 5 to 7 ms of CPU, and a system has seven of them.
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { Histogram, type Registry } from 'prom-client';

const everyMs = 20;
/** Ticks that one look at an idle loop stands for. */
const idleTicks = 5;
/** Share of the time since the last look below which a loop counts as idle. */
const idleShareMax = 0.1;
/** Of one block: a minute's. A machine that slept must not keep the loop counting. */
const dueMax = 3000;
const buckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 5];

export function watchEventLoop(registry: Registry): void {
  const delays = new Histogram({
    name: 'inference_event_loop_delay_seconds',
    help: 'By how much a timer due every 20 ms came late',
    buckets,
    registers: [registry],
  });
  let use: EventLoopUtilization = performance.eventLoopUtilization();
  const look = (due: number, ticks: number) => {
    const late = Math.max(0, performance.now() - due);
    // All that fell due meanwhile came late, too: counted once, a block of 10 s is one tick of 15,000 in 5 minutes.
    const missed = Math.min(dueMax, Math.floor(late / everyMs));
    for (let tick = 0; tick < ticks; tick++) delays.observe(late / 1000);
    for (let tick = 1; tick <= missed; tick++) delays.observe((late - tick * everyMs) / 1000);
    const now = performance.eventLoopUtilization();
    const isIdle = performance.eventLoopUtilization(now, use).utilization < idleShareMax;
    use = now;
    schedule(isIdle ? idleTicks : 1);
  };
  const schedule = (ticks: number) => {
    const due = performance.now() + ticks * everyMs;
    setTimeout(look, ticks * everyMs, due, ticks).unref();
  };
  schedule(1);
}
