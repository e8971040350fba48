/** A span of a job that hangs directly below the request that submitted it: what happens to a job outside of its run. */
import { mintSpanId, parseTraceparent } from '../trace-context.ts';
import { epochMs } from './epoch-clock.ts';
import { follows, type Span, type Tracing } from './span.ts';

export interface JobSpan extends Pick<Span, 'name' | 'attributes' | 'links' | 'error'> {
  /** By `performance.now()`. */
  readonly startedMs: number;
  /** Now, when absent. */
  readonly endedMs?: number;
}

/** Records nothing for a job that is not sampled. */
export function recordJobSpan(
  tracing: Tracing,
  job: { readonly id: string; readonly traceparent?: string },
  { startedMs, endedMs = performance.now(), attributes, ...span }: JobSpan,
): void {
  if (!follows(tracing, job.traceparent)) return;
  const parent = parseTraceparent(job.traceparent);
  if (!parent) return;
  tracing.record([
    {
      ...span,
      kind: 'internal',
      traceId: parent.traceId,
      spanId: mintSpanId(),
      parentId: parent.spanId,
      startMs: epochMs(startedMs),
      endMs: epochMs(endedMs),
      attributes: { 'millrace.job.id': job.id, ...attributes },
    },
  ]);
}
