/** What the API counts. Labels are bounded: route patterns, never paths; models of the repository, never names sent. */
import { Counter, Gauge, Histogram, type Registry, secondsBuckets } from '../shared/observability/metrics.ts';
import type { QueueState } from './jobs/admission.ts';

export interface ApiMetrics {
  readonly requests: Counter<'route' | 'method' | 'status'>;
  readonly seconds: Histogram<'route'>;
  readonly refused: Counter<'reason'>;
  readonly admitted: Counter<'task' | 'model' | 'class'>;
  readonly duties: Counter<'duty'>;
}

export interface MetricSources {
  readonly queues: () => readonly QueueState[];
  readonly openStreams: () => number;
}

export function createApiMetrics(registry: Registry, sources: MetricSources): ApiMetrics {
  const registers = [registry];
  const depth = new Gauge({
    name: 'inference_queue_depth',
    help: 'Jobs per queue: waiting to be claimed, or claimed and not finished.',
    labelNames: ['queue', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { model, jobClass, waiting, unfinished } of sources.queues()) {
        const queue = `${model}.${jobClass}`;
        this.set({ queue, state: 'waiting' }, waiting);
        this.set({ queue, state: 'claimed' }, Math.max(0, unfinished - waiting));
      }
    },
  });
  const oldest = new Gauge({
    name: 'inference_queue_oldest_seconds',
    help: 'Age of the oldest waiting job per queue.',
    labelNames: ['queue'],
    registers,
    collect() {
      this.reset();
      for (const { model, jobClass, oldestSeconds } of sources.queues())
        this.set({ queue: `${model}.${jobClass}` }, oldestSeconds);
    },
  });
  const streams = new Gauge({
    name: 'inference_open_streams',
    help: 'Event streams open in this process.',
    registers,
    collect() {
      this.set(sources.openStreams());
    },
  });
  void [depth, oldest, streams]; // They read their values when they are scraped.
  return {
    requests: new Counter({
      name: 'inference_http_requests_total',
      help: 'Answered HTTP requests.',
      labelNames: ['route', 'method', 'status'],
      registers,
    }),
    seconds: new Histogram({
      name: 'inference_http_request_seconds',
      help: 'Time from request to the end of the answer. Waiting callers and event streams are in it.',
      labelNames: ['route'],
      buckets: secondsBuckets,
      registers,
    }),
    refused: new Counter({
      name: 'inference_admission_refused_total',
      help: 'Submissions refused for lack of room.',
      labelNames: ['reason'],
      registers,
    }),
    admitted: new Counter({
      name: 'inference_jobs_admitted_total',
      help: 'Jobs recorded and acknowledged.',
      labelNames: ['task', 'model', 'class'],
      registers,
    }),
    duties: new Counter({
      name: 'inference_duty_jobs_total',
      help: 'Jobs that a background duty had to look after: reconciled, expired, found again, cleaned up.',
      labelNames: ['duty'],
      registers,
    }),
  };
}
