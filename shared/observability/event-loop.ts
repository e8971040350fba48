/**
 * How long this process's event loop is kept from its work: a timer that is due every 20 ms says by how much it came
 * late. A histogram, so that any quantile over any span can be read from two scrapes.
 */
import { Histogram, type Registry } from 'prom-client';

const everyMs = 20;
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
  let due = performance.now() + everyMs;
  const timer = setInterval(() => {
    const now = performance.now();
    // All that fell due meanwhile came late, too: counted once, a block of 10 s is one tick of 15,000 in 5 minutes.
    const missed = Math.min(dueMax, Math.max(0, Math.floor((now - due) / everyMs)));
    for (let tick = 0; tick <= missed; tick++) delays.observe(Math.max(0, now - due - tick * everyMs) / 1000);
    due = now + everyMs;
  }, everyMs);
  timer.unref();
}
