/**
 * The metrics registry of one process. Base units, bounded labels (never a job, tenant or URL), explicit buckets.
 * Metrics that only one part has are declared in that part, on this registry.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { watchEventLoop } from './event-loop.ts';

export { Counter, Gauge, Histogram, type Registry };

/** Seconds, 0.5 ms .. 60 s: a durable Redis write is 0.2 to 4 ms, a long transcription tens of seconds. */
export const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
export const rowsBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/** Tokens of a short text to samples of a long recording. */
export const unitsBuckets = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576];

/** prom-client's own watch of the loop woke every process 100 times a second, for what `event-loop.ts` tells better. */
const neverMs = 2 ** 30;

/** `instance` tells processes of one role apart when their metrics are put together. `more` is on every series, too. */
export function createRegistry(role: string, instance: string, more: Readonly<Record<string, string>> = {}): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role, instance, ...more });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: neverMs });
  for (const { name } of registry.getMetricsAsArray())
    if (name.startsWith('nodejs_eventloop_lag')) registry.removeSingleMetric(name);
  watchEventLoop(registry);
  return registry;
}
