/** What is read off a run: rates, quantiles of latency, and the share that was in time. */
import type { JobClass } from '../../shared/jobs/job.ts';
import type { EndedRow } from './simulate.ts';

export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly class?: JobClass;
  readonly model?: string;
}

export interface Measures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rows: number;
  readonly failed: number;
}

/** Of the rows that ended within the span. */
export function measure(ended: readonly EndedRow[], span: Span): Measures {
  const latencies: number[] = [];
  let failed = 0;
  for (const { row, endedMs, failed: hasFailed } of ended) {
    if (endedMs < span.fromMs || endedMs >= span.untilMs) continue;
    if ((span.class && row.class !== span.class) || (span.model && row.model !== span.model)) continue;
    latencies.push(endedMs - row.arrivedMs);
    if (hasFailed) failed++;
  }
  latencies.sort((a, b) => a - b);
  return {
    perSecond: (1000 * (latencies.length - failed)) / (span.untilMs - span.fromMs),
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    rows: latencies.length,
    failed,
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
