/**
 * The span of one delivery attempt: below the request that submitted the job, and named to the receiver, so that what the
 * receiver does hangs below it. Never the receiver's path or query: they may hold secrets.
 */
import { formatTraceparent, mintSpanId, parseTraceparent } from '../../shared/observability/trace-context.ts';
import { epochMs } from '../../shared/observability/tracing/epoch-clock.ts';
import { follows, type Tracing } from '../../shared/observability/tracing/span.ts';
import type { AttemptResult } from './deliver-event.ts';
import type { PinnedEvent } from './delivery-log.ts';

export interface AttemptNames {
  readonly jobId: string;
  readonly seq: number;
  readonly attempt: number;
}

/** `deliver` gets the event with the traceparent to send. */
export async function traceAttempt(
  tracing: Tracing,
  event: PinnedEvent,
  names: AttemptNames,
  deliver: (event: PinnedEvent) => Promise<AttemptResult>,
): Promise<AttemptResult> {
  const root = follows(tracing, event.traceparent) ? parseTraceparent(event.traceparent) : null;
  if (root === null) return await deliver(event);
  const spanId = mintSpanId();
  const startMs = epochMs(performance.now());
  let result: AttemptResult | undefined;
  try {
    result = await deliver({ ...event, traceparent: formatTraceparent({ ...root, spanId }) });
    return result;
  } finally {
    tracing.record([
      {
        name: 'webhook attempt',
        kind: 'client',
        traceId: root.traceId,
        spanId,
        parentId: root.spanId,
        startMs,
        endMs: epochMs(performance.now()),
        attributes: {
          'millrace.job.id': names.jobId,
          'millrace.webhook.event': event.event,
          'millrace.webhook.seq': names.seq,
          'millrace.webhook.attempt': names.attempt,
          'server.address': new URL(event.url).hostname,
          'http.request.method': 'POST',
          'http.response.status_code': result?.statusCode ?? undefined,
        },
        error: result === undefined ? 'internal-error' : (result.error ?? undefined),
      },
    ]);
  }
}
