/**
 * One span per engine call that has a recorded job on board: a trace of its own, since it belongs to all its jobs alike,
 * with a link to each job's compute span, which links back. Calls without such a job cost one look at their rows.
 */
import { mintSpanId, mintTraceId } from '../../shared/observability/trace-context.ts';
import { epochMs } from '../../shared/observability/tracing/epoch-clock.ts';
import type { Attributes, SpanLink, Tracing } from '../../shared/observability/tracing/span.ts';
import type { CallResult } from '../lane/lane.ts';
import type { QueuedRow } from '../running/running-job.ts';
import type { LiveRow } from '../scheduling/steps/live-rows.ts';
import type { JobTrace } from './job-trace.ts';

interface OpenCall {
  readonly rows: readonly QueuedRow[];
  readonly predictedMs: number;
  readonly startedMs: number;
}

export class EngineCalls {
  readonly #tracing: Tracing;
  readonly #device: string;
  /** By lane: each runs one call at a time. */
  readonly #open = new Map<string, OpenCall>();

  constructor(tracing: Tracing, device: string) {
    this.#tracing = tracing;
    this.#device = device;
  }

  open(lane: string, rows: readonly QueuedRow[], predictedMs: number): void {
    if (this.#tracing.isOn && rows.some(isFollowed))
      this.#open.set(lane, { rows, predictedMs, startedMs: performance.now() });
  }

  close(lane: string, result: CallResult): void {
    const call = this.#open.get(lane);
    if (!call) return;
    this.#open.delete(lane);
    const { rows, startedMs } = call;
    const endedMs = performance.now();
    const engine = { traceId: mintTraceId(), spanId: mintSpanId() };
    const attributes = this.#describe(lane, call, result, endedMs - startedMs);
    const error = errorOf(result);
    const postprocessMs = result.kind === 'ran' ? result.postprocessMs : 0;
    const links: SpanLink[] = [];
    for (const [trace, own] of rowsByTrace(rows)) {
      const waitedFromMs = Math.min(...own.map(({ waitsSinceMs }) => waitsSinceMs));
      const times = { waitedFromMs, startedMs, endedMs, postprocessMs };
      if (result.kind === 'died') trace.crashed(own.length);
      const spanId = trace.called({ ...times, engine, rows: own.length, attributes, error });
      links.push({ traceId: trace.traceId, spanId, attributes: { 'millrace.job.id': trace.jobId } });
    }
    this.#tracing.record([
      {
        name: 'engine call',
        kind: 'internal',
        ...engine,
        startMs: epochMs(startedMs),
        endMs: epochMs(endedMs),
        attributes: {
          ...attributes,
          'millrace.batch.jobs': jobsOf(rows),
          'millrace.batch.jobs_recorded': links.length,
        },
        links,
        error,
      },
    ]);
  }

  /** A row is no longer written token by token: one span for all its calls, which may be hundreds. */
  wrote(lane: string, { row, ...live }: LiveRow, lost?: 'evicted' | 'lost'): void {
    const { trace, files } = row.item.job;
    if (!this.#tracing.isOn || !trace) return;
    const engine = { traceId: mintTraceId(), spanId: mintSpanId() };
    const startedMs = live.admittedMs;
    const endedMs = performance.now();
    const attributes: Attributes = {
      'millrace.model': files.id,
      'millrace.model_version': files.version,
      'millrace.class': row.class,
      'millrace.lane': lane,
      'millrace.device': this.#device,
      'millrace.batch.rows': live.rowsMax,
      'millrace.batch.calls': live.calls,
      'millrace.batch.compute_ms': live.computeMs,
      'millrace.suspect': row.suspect || undefined,
      'millrace.reason': lost,
    };
    if (lost === 'lost') trace.crashed(1);
    const times = { waitedFromMs: row.waitsSinceMs, startedMs, endedMs, postprocessMs: 0 };
    const spanId = trace.called({ ...times, engine, rows: 1, attributes, error: lost && `row-${lost}` });
    const links = [{ traceId: trace.traceId, spanId, attributes: { 'millrace.job.id': trace.jobId } }];
    const span = { startMs: epochMs(startedMs), endMs: epochMs(endedMs), attributes, links };
    this.#tracing.record([{ name: 'generation', kind: 'internal', ...engine, ...span, error: lost && `row-${lost}` }]);
  }

  #describe(lane: string, { rows, predictedMs }: OpenCall, result: CallResult, wallMs: number): Attributes {
    const [first] = rows;
    return {
      'millrace.model': first?.item.job.files.id,
      'millrace.model_version': first?.item.job.files.version,
      'millrace.class': [...new Set(rows.map((row) => row.class))].join(','),
      'millrace.lane': lane,
      'millrace.device': this.#device,
      'millrace.batch.rows': rows.length,
      'millrace.batch.units': rows.reduce((sum, { length }) => sum + length, 0),
      'millrace.batch.units_padded': rows.length * Math.max(...rows.map(({ length }) => length)),
      'millrace.batch.predicted_ms': predictedMs,
      'millrace.batch.measured_ms': wallMs,
      'millrace.batch.compute_ms': result.kind === 'ran' ? result.computeMs : undefined,
      // A suspect runs alone: a call died with it on board.
      'millrace.suspect': rows.some(({ suspect }) => suspect) || undefined,
      'millrace.reason': result.kind === 'died' ? result.reason : undefined,
    };
  }
}

function isFollowed({ item }: QueuedRow): boolean {
  return item.job.trace !== null;
}

function rowsByTrace(rows: readonly QueuedRow[]): Map<JobTrace, QueuedRow[]> {
  const grouped = new Map<JobTrace, QueuedRow[]>();
  for (const row of rows) {
    const { trace } = row.item.job;
    if (!trace) continue;
    const own = grouped.get(trace);
    if (own) own.push(row);
    else grouped.set(trace, [row]);
  }
  return grouped;
}

function jobsOf(rows: readonly QueuedRow[]): number {
  return new Set(rows.map(({ item }) => item.job)).size;
}

/** Not what the engine said: it may repeat what a caller sent. */
function errorOf(result: CallResult): string | undefined {
  if (result.kind === 'ran') return undefined;
  return result.kind === 'died' ? 'lane-died' : result.outOfMemory ? 'out-of-memory' : 'refused-by-model';
}
