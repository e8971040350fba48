/** Metrics of the log writer. Lag and sizes are looked up when they are scraped. */
import { redisNowMs } from '../../shared/jobs/store/duties.ts';
import { collectWithin } from '../../shared/observability/collect-within.ts';
import { Counter, Gauge, Histogram, type Registry, secondsBuckets } from '../../shared/observability/metrics.ts';
import type { Redis } from '../../shared/redis/connection.ts';

export interface LogMetrics {
  /**
   * recorded, known (came twice), refused (the database can not hold it), erased, expired, and spooled: waits on disk, and is
   * counted again later.
   */
  readonly rows: Counter<'result'>;
  readonly writeSeconds: Histogram;
}

export interface LogDepths {
  /** When the oldest entry happened that the database has not; null when it has all. */
  oldestMs(): Promise<number | null>;
  spoolBytes(): number;
  isDatabaseUp(): boolean;
}

export function defineLogMetrics(registry: Registry, redis: Redis, depths: LogDepths): LogMetrics {
  new Gauge({
    name: 'inference_prediction_log_lag_seconds',
    help: 'Age of the oldest ended job that the record of predictions does not hold yet.',
    registers: [registry],
    async collect() {
      this.remove();
      const seconds = await collectWithin(async () => {
        const oldest = await depths.oldestMs();
        return oldest === null ? 0 : Math.max(0, (await redisNowMs(redis)) - oldest) / 1000;
      });
      if (seconds !== undefined) this.set(seconds);
    },
  });
  new Gauge({
    name: 'inference_prediction_log_spool_bytes',
    help: 'Bytes that wait on disk for the database.',
    registers: [registry],
    collect() {
      this.set(depths.spoolBytes());
    },
  });
  new Gauge({
    name: 'inference_prediction_log_database_up',
    help: 'Whether the database of the record takes rows (1) or they go to the spool (0).',
    registers: [registry],
    collect() {
      this.set(depths.isDatabaseUp() ? 1 : 0);
    },
  });
  const rows = new Counter({
    name: 'inference_prediction_log_rows_total',
    help: 'Rows of the record of predictions by what became of them.',
    labelNames: ['result'],
    registers: [registry],
  });
  for (const result of ['recorded', 'known', 'refused', 'erased', 'spooled', 'expired'] as const)
    rows.inc({ result }, 0);
  return {
    rows,
    writeSeconds: new Histogram({
      name: 'inference_prediction_log_write_seconds',
      help: 'Seconds that the database took for one batch of rows.',
      buckets: secondsBuckets,
      registers: [registry],
    }),
  };
}
