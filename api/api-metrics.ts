/** What the API counts. Labels are bounded: route patterns, never paths; models of the repository, never names sent. */
import type { JobRecord } from '../shared/jobs/store/record.ts';
import { Counter, Gauge, Histogram, type Registry, secondsBuckets } from '../shared/observability/metrics.ts';
import { type AdmissionGate, refusalReasons } from './jobs/admission.ts';

export interface ApiMetrics {
  readonly requests: Counter<'route' | 'method' | 'status'>;
  readonly seconds: Histogram<'route'>;
  readonly refused: Counter<'reason'>;
  readonly admitted: Counter<'task' | 'model' | 'class'>;
  /** Items that ended here and in no worker: canceled, or expired before a worker had them. */
  readonly ended: Counter<'model' | 'class' | 'outcome' | 'reason'>;
  readonly duties: Counter<'duty'>;
  readonly dutyRuns: Gauge<'duty'>;
}

export interface MetricSources {
  readonly gate: Pick<AdmissionGate, 'states' | 'countClosed' | 'tenantJobsMax'>;
  readonly openStreams: () => number;
}

export function createApiMetrics(registry: Registry, sources: MetricSources): ApiMetrics {
  exposeQueues(registry, sources.gate);
  exposeAdmission(registry, sources.gate);
  new Gauge({
    name: 'inference_open_streams',
    help: 'Event streams open in this process.',
    registers: [registry],
    collect() {
      this.set(sources.openStreams());
    },
  });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const refused = counter('inference_admission_refused_total', 'Submissions refused for lack of room.', ['reason']);
  for (const reason of [...refusalReasons, 'tenant-full', 'model-unavailable']) refused.inc({ reason }, 0);
  return {
    refused,
    requests: counter('inference_http_requests_total', 'Answered HTTP requests.', ['route', 'method', 'status']),
    seconds: new Histogram({
      name: 'inference_http_request_seconds',
      help: 'Time from request to the end of the answer. Waiting callers and event streams are in it.',
      labelNames: ['route'],
      buckets: secondsBuckets,
      registers: [registry],
    }),
    admitted: counter('inference_jobs_admitted_total', 'Jobs recorded and acknowledged.', ['task', 'model', 'class']),
    ended: counter('inference_items_total', 'Items by outcome and reason', ['model', 'class', 'outcome', 'reason']),
    duties: counter(
      'inference_duty_jobs_total',
      'Jobs that a background duty had to look after: expired, found again, cleaned up.',
      ['duty'],
    ),
    dutyRuns: new Gauge({
      name: 'inference_duty_last_run_timestamp_seconds',
      help: 'When this process did a background duty last, or started; one process does each.',
      labelNames: ['duty'],
      registers: [registry],
    }),
  };
}

/** The items that were open when a job ended by `outcome`. */
export function countEnded(
  metrics: Pick<ApiMetrics, 'ended'>,
  { request, counts }: JobRecord,
  outcome: 'canceled' | 'expired',
): void {
  const open = counts.total - counts.succeeded - counts.failed;
  metrics.ended.inc({ model: request.model, class: request.priority, outcome, reason: outcome }, open);
}

/** Every API process tells the same of all queues: take the largest, not the sum. */
function exposeQueues(registry: Registry, gate: MetricSources['gate']): void {
  const labelNames = ['queue', 'model', 'class', 'state'];
  const labelsOf = (model: string, jobClass: string) => ({ queue: `${model}.${jobClass}`, model, class: jobClass });
  new Gauge({
    name: 'inference_queue_depth',
    help: 'Jobs per queue: waiting to be claimed, or claimed and not finished.',
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const { model, jobClass, waiting, unfinished } of gate.states) {
        const labels = labelsOf(model, jobClass);
        this.set({ ...labels, state: 'waiting' }, waiting);
        this.set({ ...labels, state: 'claimed' }, Math.max(0, unfinished - waiting));
      }
    },
  });
  new Gauge({
    name: 'inference_queue_oldest_seconds',
    help: 'Age, since admission, of the oldest waiting and the oldest claimed job per queue.',
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const { model, jobClass, oldestSeconds, oldestClaimedSeconds } of gate.states) {
        const labels = labelsOf(model, jobClass);
        this.set({ ...labels, state: 'waiting' }, oldestSeconds);
        this.set({ ...labels, state: 'claimed' }, oldestClaimedSeconds);
      }
    },
  });
}

function exposeAdmission(registry: Registry, gate: MetricSources['gate']): void {
  new Gauge({
    name: 'inference_admission_closed',
    help: 'Queues that take nothing now, by reason; all 0 means open.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      for (const [reason, queues] of gate.countClosed()) this.set({ reason }, queues);
    },
  });
  new Gauge({
    name: 'inference_tenant_jobs_max',
    help: 'Unfinished jobs of the tenant that has most. Which one it is, no metric says.',
    registers: [registry],
    collect() {
      this.set(gate.tenantJobsMax);
    },
  });
}
