/** What `top` shows, from two readings of the metrics and the counts of unfinished jobs. Pure: numbers, no words. */
import { increase, quantile, rate, type Snapshot } from './snapshot.ts';

export interface QueueRow {
  readonly queue: string;
  readonly waiting: number;
  readonly claimed: number;
  readonly oldestSeconds: number;
  readonly inPerSecond: number;
  readonly waitP50: number | undefined;
  readonly waitP99: number | undefined;
}

export interface ModelRow {
  readonly model: string;
  /** Workers that have it in each state: "1 ready". */
  readonly states: Readonly<Record<string, number>>;
  readonly callsPerSecond: number;
  readonly rowsPerCall: number | undefined;
  /** Padding among all units of the calls, 0 to 1. */
  readonly paddingShare: number | undefined;
  readonly computeP50: number | undefined;
  readonly computeP99: number | undefined;
}

export interface LaneRow {
  readonly lane: string;
  readonly device: string;
  /** Time in calls, 0 to 1. */
  readonly busyShare: number;
}

export interface TenantRow {
  readonly name: string;
  readonly unfinished: number;
}

export interface TopView {
  readonly admittedPerSecond: number;
  /** By outcome, and refusals. */
  readonly endedPerSecond: Readonly<Record<string, number>>;
  readonly refusedPerSecond: number;
  readonly closedFor: readonly string[];
  readonly redisBytes: number | undefined;
  readonly redisBytesMax: number | undefined;
  readonly redisWriteP99: number | undefined;
  /** Roles of which a process has no connection to Redis, be it that it only starts. */
  readonly redisAwayFrom: readonly string[];
  readonly webhooksWaiting: number;
  readonly webhookLagSeconds: number;
  readonly deadLetters: number;
  /** Of the record of predictions; undefined when no log writer runs. */
  readonly logLagSeconds: number | undefined;
  readonly isLogDatabaseAway: boolean;
  readonly lanesAlive: number;
  readonly lanesWanted: number;
  readonly queues: readonly QueueRow[];
  readonly models: readonly ModelRow[];
  readonly lanes: readonly LaneRow[];
  /** Null when Redis could not be asked. */
  readonly tenants: readonly TenantRow[] | null;
}

export function buildView(before: Snapshot, now: Snapshot, tenants: readonly TenantRow[] | null): TopView {
  const outcomes = now.labelValues('inference_items_total', 'outcome');
  const reasons = now.labelValues('inference_admission_closed', 'reason');
  return {
    admittedPerSecond: rate(before, now, 'inference_jobs_admitted_total'),
    endedPerSecond: Object.fromEntries(
      outcomes.map((outcome) => [outcome, rate(before, now, 'inference_items_total', { outcome })]),
    ),
    refusedPerSecond: rate(before, now, 'inference_admission_refused_total'),
    closedFor: reasons.filter((reason) => (now.max('inference_admission_closed', { reason }) ?? 0) > 0),
    redisBytes: now.max('inference_redis_memory_bytes'),
    redisBytesMax: now.max('inference_redis_memory_max_bytes'),
    redisWriteP99: quantile(before, now, 'inference_redis_write_seconds', 0.99),
    redisAwayFrom: rolesWithout(now, 'inference_redis_connected'),
    webhooksWaiting: ['wait', 'active', 'delayed'].reduce(
      (sum, state) => sum + (now.max('inference_webhook_queue_jobs', { state }) ?? 0),
      0,
    ),
    webhookLagSeconds: now.max('inference_webhook_outbox_lag_seconds') ?? 0,
    deadLetters: now.max('inference_dead_letter_jobs') ?? 0,
    logLagSeconds: now.max('inference_prediction_log_lag_seconds'),
    isLogDatabaseAway: now.max('inference_prediction_log_database_up') === 0,
    lanesAlive: now.sum('inference_lanes_alive'),
    lanesWanted: now.sum('inference_lanes'),
    queues: queueRows(before, now),
    models: modelRows(before, now),
    lanes: laneRows(before, now),
    tenants,
  };
}

/** Roles of which some process says 0. */
function rolesWithout(now: Snapshot, name: string): string[] {
  return now
    .labelValues(name, 'role')
    .filter((role) => now.select(name, { role }).some(([, { value }]) => value === 0));
}

/** The fullest first; those where nothing happens last. */
function queueRows(before: Snapshot, now: Snapshot): QueueRow[] {
  const rows = now.labelValues('inference_queue_depth', 'queue').map((queue) => {
    const cut = queue.lastIndexOf('.');
    const of = { model: queue.slice(0, cut), class: queue.slice(cut + 1) };
    return {
      queue,
      waiting: now.max('inference_queue_depth', { queue, state: 'waiting' }) ?? 0,
      claimed: now.max('inference_queue_depth', { queue, state: 'claimed' }) ?? 0,
      oldestSeconds: now.max('inference_queue_oldest_seconds', { queue, state: 'waiting' }) ?? 0,
      inPerSecond: rate(before, now, 'inference_jobs_admitted_total', of),
      waitP50: quantile(before, now, 'inference_queue_wait_seconds', 0.5, of),
      waitP99: quantile(before, now, 'inference_queue_wait_seconds', 0.99, of),
    };
  });
  const weight = (row: QueueRow) => row.waiting * 1e6 + row.claimed * 1e3 + row.inPerSecond;
  return rows.sort((a, b) => weight(b) - weight(a));
}

function modelRows(before: Snapshot, now: Snapshot): ModelRow[] {
  const rows = now.labelValues('inference_model_workers', 'model').map((model) => {
    const calls = increase(before, now, 'inference_batch_rows_count', { model });
    const padding = increase(before, now, 'inference_batch_units_total', { model, kind: 'padding' });
    const units = padding + increase(before, now, 'inference_batch_units_total', { model, kind: 'real' });
    const states = now.labelValues('inference_model_workers', 'state').map((state) => {
      return [state, now.max('inference_model_workers', { model, state }) ?? 0] as const;
    });
    return {
      model,
      states: Object.fromEntries(states.filter(([, count]) => count > 0)),
      callsPerSecond: rate(before, now, 'inference_batch_rows_count', { model }),
      rowsPerCall: calls > 0 ? increase(before, now, 'inference_batch_rows_sum', { model }) / calls : undefined,
      paddingShare: units > 0 ? padding / units : undefined,
      computeP50: quantile(before, now, 'inference_compute_seconds', 0.5, { model }),
      computeP99: quantile(before, now, 'inference_compute_seconds', 0.99, { model }),
    };
  });
  return rows.sort((a, b) => b.callsPerSecond - a.callsPerSecond);
}

function laneRows(before: Snapshot, now: Snapshot): LaneRow[] {
  const seconds = Math.max((now.atMs - before.atMs) / 1000, 1e-3);
  const name = 'inference_lane_busy_seconds_total';
  const rows = now.select(name).map(([key, { labels, value }]) => {
    const was = before.value(name, key);
    const busy = was === undefined || value < was ? value : value - was;
    return {
      lane: `${labels['instance'] ?? '?'}/${labels['lane'] ?? '?'}`,
      device: labels['device'] ?? '?',
      busyShare: Math.min(1, busy / seconds),
    };
  });
  return rows.sort((a, b) => b.busyShare - a.busyShare || a.lane.localeCompare(b.lane));
}
