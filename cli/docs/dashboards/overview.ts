/** The first dashboard at three in the morning: what fires, what piles up, where time goes. */
import type { DashboardWish } from './dashboard.ts';
import { perSecond, quantile, queueOnBoard, slowTraces, stageLines } from './queries.ts';

const stat = { kind: 'stat', width: 4 } as const;

const now: DashboardWish['rows'][number] = {
  title: 'Now',
  panels: [
    {
      ...stat,
      title: 'Alerts',
      about: 'That fire. Each has a page in monitoring/runbooks.',
      unit: 'none',
      badFrom: 1,
      queries: [{ expr: 'count(ALERTS{alertstate="firing"}) or vector(0)', legend: 'alerts' }],
    },
    {
      ...stat,
      title: 'Oldest job that waits',
      about: 'Over all queues, since it was admitted.',
      unit: 's',
      badFrom: 60,
      queries: [{ expr: 'max(queue:oldest_seconds:max{state="waiting"})', legend: 'age' }],
    },
    {
      ...stat,
      title: 'Jobs that wait',
      about: 'Over all queues.',
      unit: 'short',
      queries: [{ expr: 'sum(queue:jobs:max{state="waiting"})', legend: 'jobs' }],
    },
    {
      ...stat,
      title: 'Queues that take nothing',
      about: 'Admission is closed for them; 0 is open.',
      unit: 'none',
      badFrom: 1,
      queries: [{ expr: 'sum(max by (reason) (inference_admission_closed))', legend: 'queues' }],
    },
    {
      ...stat,
      title: 'Lanes busy',
      about: 'Share of lane time spent in calls, over all workers.',
      unit: 'percentunit',
      queries: [{ expr: 'avg(worker:lane_busy:ratio_rate1m)', legend: 'busy' }],
    },
    {
      ...stat,
      title: 'Durable write',
      about: 'p90 of a write each second, slowest process.',
      unit: 's',
      badFrom: 0.1,
      queries: [{ expr: `max(${quantile(0.9, 'inference_redis_write_seconds', '', 'role')})`, legend: 'p90' }],
    },
  ],
};

const traffic: DashboardWish['rows'][number] = {
  title: 'What comes and goes',
  panels: [
    {
      title: 'Jobs admitted',
      about: 'Recorded and acknowledged, by class.',
      unit: 'ops',
      isStacked: true,
      queries: [{ expr: perSecond('inference_jobs_admitted_total', 'class'), legend: '{{class}}' }],
    },
    {
      title: 'Items ended',
      about: 'By outcome and reason.',
      unit: 'ops',
      isStacked: true,
      queries: [{ expr: perSecond('inference_items_total', 'outcome, reason'), legend: '{{outcome}} {{reason}}' }],
    },
    {
      title: 'Submissions refused',
      about: 'For lack of room. tenant-full is one tenant at its own limit.',
      unit: 'ops',
      queries: [{ expr: perSecond('inference_admission_refused_total', 'reason'), legend: '{{reason}}' }],
    },
    {
      title: 'HTTP answers',
      about: 'By status.',
      unit: 'ops',
      isStacked: true,
      queries: [{ expr: perSecond('inference_http_requests_total', 'status'), legend: '{{status}}' }],
    },
    {
      title: 'HTTP p99',
      about: 'By route. Callers that wait for a result, and event streams, are in it.',
      unit: 's',
      queries: [{ expr: quantile(0.99, 'inference_http_request_seconds', '', 'route'), legend: '{{route}}' }],
    },
    {
      title: 'Jobs of the busiest tenant',
      about: 'Unfinished ones. Which tenant it is, monitoring/runbooks/TenantFlooding.md tells.',
      unit: 'short',
      queries: [{ expr: 'max(inference_tenant_jobs_max)', legend: 'jobs' }],
    },
  ],
};

const time: DashboardWish['rows'][number] = {
  title: 'Where time goes',
  panels: [
    {
      title: 'Stages, p99',
      about: 'The highest line holds things up.',
      unit: 's',
      width: 12,
      queries: stageLines(0.99, ''),
    },
    {
      title: 'Compute by model',
      about: 'Seconds of engine calls per second: which model has the lanes.',
      unit: 's',
      width: 12,
      isStacked: true,
      links: [slowTraces],
      queries: [{ expr: perSecond('inference_compute_seconds_sum', 'model'), legend: '{{model}}' }],
    },
    {
      title: 'Queue depth',
      about: 'Waiting to be claimed, or claimed and not finished.',
      unit: 'short',
      links: [queueOnBoard],
      queries: [{ expr: 'queue:jobs:max', legend: '{{queue}} {{state}}' }],
    },
    {
      title: 'Age of the oldest',
      about: 'Since it was admitted.',
      unit: 's',
      links: [queueOnBoard],
      queries: [{ expr: 'queue:oldest_seconds:max', legend: '{{queue}} {{state}}' }],
    },
    {
      title: 'Lanes busy',
      about: 'By worker.',
      unit: 'percentunit',
      queries: [{ expr: 'worker:lane_busy:ratio_rate1m', legend: '{{instance}} {{device}}' }],
    },
  ],
};

const ground: DashboardWish['rows'][number] = {
  title: 'What it stands on',
  panels: [
    {
      title: 'Durable write',
      about: 'Loop, network, Redis and its disk, from each process that jobs wait for.',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'inference_redis_write_seconds', '', 'role'), legend: 'p50 {{role}}' },
        { expr: quantile(0.99, 'inference_redis_write_seconds', '', 'role'), legend: 'p99 {{role}}' },
      ],
    },
    {
      title: 'Redis memory',
      about: 'Share of maxmemory. Admission closes at 0.7.',
      unit: 'percentunit',
      badFrom: 0.6,
      queries: [{ expr: 'max(inference_redis_memory_bytes) / max(inference_redis_memory_max_bytes)', legend: 'used' }],
    },
    {
      title: 'Append-only file',
      about: 'Its size; a rewrite makes it small again.',
      unit: 'bytes',
      queries: [{ expr: 'max(inference_redis_aof_bytes)', legend: 'size' }],
    },
    {
      title: 'Redis commands',
      about: 'From the exporter.',
      unit: 'ops',
      queries: [{ expr: 'sum(rate(redis_commands_processed_total[$__rate_interval]))', legend: 'commands' }],
    },
    {
      title: 'Event loops, p99',
      about: 'By how much a timer comes late: a blocked process.',
      unit: 's',
      badFrom: 0.25,
      queries: [
        {
          expr: quantile(0.99, 'inference_event_loop_delay_seconds', '', 'role, instance'),
          legend: '{{role}} {{instance}}',
        },
      ],
    },
    {
      title: 'Memory of processes',
      about: 'Resident.',
      unit: 'bytes',
      queries: [
        { expr: 'process_resident_memory_bytes{role!=""}', legend: '{{role}} {{instance}}' },
        { expr: 'inference_lane_memory_bytes', legend: '{{lane}} of {{instance}}' },
      ],
    },
    {
      title: 'CPU of the machine',
      about: 'Share that is not idle.',
      unit: 'percentunit',
      queries: [
        {
          expr: '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))',
          legend: '{{instance}}',
        },
      ],
    },
    {
      title: 'Disk left',
      about: 'Share of each file system.',
      unit: 'percentunit',
      queries: [
        {
          expr: 'min by (instance, mountpoint) (node_filesystem_avail_bytes / node_filesystem_size_bytes)',
          legend: '{{instance}} {{mountpoint}}',
        },
      ],
    },
    {
      title: 'Duties',
      about: 'Seconds since each background duty was done.',
      unit: 's',
      queries: [{ expr: 'time() - max by (duty) (inference_duty_last_run_timestamp_seconds)', legend: '{{duty}}' }],
    },
  ],
};

const record: DashboardWish['rows'][number] = {
  title: 'The record of predictions',
  panels: [
    {
      title: 'Lag',
      about: 'Age of the oldest ended job that the record does not hold yet.',
      unit: 's',
      badFrom: 60,
      queries: [{ expr: 'max(inference_prediction_log_lag_seconds)', legend: 'lag' }],
    },
    {
      title: 'Rows',
      about: 'By what became of them.',
      unit: 'ops',
      isStacked: true,
      queries: [{ expr: perSecond('inference_prediction_log_rows_total', 'result'), legend: '{{result}}' }],
    },
    {
      title: 'Spool',
      about: 'What waits on disk while the database is away.',
      unit: 'bytes',
      queries: [{ expr: 'sum(inference_prediction_log_spool_bytes)', legend: 'spool' }],
    },
  ],
};

export const overview: DashboardWish = {
  name: 'overview',
  title: 'overview',
  about: 'What fires, what piles up, where time goes, and what it stands on.',
  variables: [],
  rows: [now, traffic, time, record, ground],
};
