/** What is told of calls to servers elsewhere: to metrics as for calls of lanes, and one span each for recorded jobs. */
import { mintSpanId, mintTraceId } from '../../shared/observability/trace-context.ts';
import { epochMs } from '../../shared/observability/tracing/epoch-clock.ts';
import type { Tracing } from '../../shared/observability/tracing/span.ts';
import type { InferenceMetrics } from '../inference-metrics.ts';
import type { QueuedRow } from '../running/running-job.ts';
import type { Verdict } from './chat-server.ts';
import type { EndedAsk, UpstreamEvents } from './upstream-unit.ts';

/** A call that was dropped says nothing of the server, save that the call is over. */
export type CallReports = Pick<UpstreamEvents, 'onAsk' | 'onAsked'>;

export function reportCalls(metrics: InferenceMetrics, tracing: Tracing): CallReports {
  return {
    onAsk(row) {
      const waitedMs = performance.now() - row.waitsSinceMs;
      metrics.batchWait.observe({ model: modelOf(row), class: row.class }, waitedMs / 1000);
    },
    onAsked(ended) {
      measure(metrics, ended);
      if (tracing.isOn) record(tracing, ended);
    },
  };
}

function measure(metrics: InferenceMetrics, { row, verdict, startedMs, endedMs }: EndedAsk): void {
  const model = modelOf(row);
  metrics.upstreamCalls.inc({ model, result: verdict.kind });
  if (verdict.kind !== 'answered') return;
  metrics.compute.observe({ model }, (endedMs - startedMs) / 1000);
  metrics.tokens.inc({ model }, verdict.answer.usage?.completionTokens ?? 0);
}

/** As an engine call: a trace of its own, linked with the job's compute span. */
function record(tracing: Tracing, { row, verdict, startedMs, endedMs }: EndedAsk): void {
  const { trace, files } = row.item.job;
  if (!trace) return;
  const call = { traceId: mintTraceId(), spanId: mintSpanId() };
  const error = verdict.kind === 'answered' ? undefined : `upstream-${verdict.kind}`;
  const attributes = {
    'millrace.model': files.id,
    'millrace.class': row.class,
    'millrace.upstream.model': files.upstream?.model,
    'millrace.upstream.result': verdict.kind,
    'millrace.reason': reasonOf(verdict),
    ...usageOf(verdict),
  };
  const times = { waitedFromMs: row.waitsSinceMs, startedMs, endedMs, postprocessMs: 0 };
  const spanId = trace.called({ ...times, engine: call, rows: 1, attributes, error });
  tracing.record([
    {
      name: 'upstream call',
      kind: 'client',
      ...call,
      startMs: epochMs(startedMs),
      endMs: epochMs(endedMs),
      attributes,
      links: [{ traceId: trace.traceId, spanId, attributes: { 'millrace.job.id': trace.jobId } }],
      error,
    },
  ]);
}

/** Ours; what a server said of an item may repeat what a caller sent, and stays out. */
function reasonOf(verdict: Verdict): string | undefined {
  return 'reason' in verdict ? verdict.reason : undefined;
}

function usageOf(verdict: Verdict): Readonly<Record<string, number>> {
  if (verdict.kind !== 'answered' || verdict.answer.usage === null) return {};
  const { promptTokens, completionTokens } = verdict.answer.usage;
  return { 'gen_ai.usage.input_tokens': promptTokens, 'gen_ai.usage.output_tokens': completionTokens };
}

function modelOf(row: QueuedRow): string {
  return row.item.job.files.id;
}
