/** A finished span in the form that the SDK's processors and exporters read. */
import type { Attributes as SdkAttributes } from '@opentelemetry/api';
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import type { Attributes, Span } from './span.ts';

type HrTime = ReadableSpan['startTime'];

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
} as const satisfies Record<Span['kind'], SpanKind>;

const scope = { name: 'millrace', version: '1' } as const;

export function toReadableSpan(span: Span, resource: Resource): ReadableSpan {
  const { traceId } = span;
  const context = contextOf(traceId, span.spanId);
  // A clock that was set back must not make a span end before it began.
  const endMs = Math.max(span.startMs, span.endMs);
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => context,
    ...(span.parentId !== undefined && { parentSpanContext: contextOf(traceId, span.parentId) }),
    startTime: toHrTime(span.startMs),
    endTime: toHrTime(endMs),
    duration: toHrTime(endMs - span.startMs),
    status:
      span.error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: span.error },
    attributes: given(span.attributes),
    links: (span.links ?? []).map((link) => ({
      context: contextOf(link.traceId, link.spanId),
      attributes: given(link.attributes),
    })),
    events: (span.events ?? []).map(({ name, atMs, attributes }) => ({
      name,
      time: toHrTime(atMs),
      attributes: given(attributes),
    })),
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function contextOf(traceId: string, spanId: string) {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
}

/** Without those that are undefined. */
function given(attributes: Attributes = {}): SdkAttributes {
  const kept: SdkAttributes = {};
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) kept[name] = value;
  return kept;
}

/** Seconds and nanoseconds. In one piece ms since 1970 leave no room for less than 0.2 us, which is enough. */
function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
