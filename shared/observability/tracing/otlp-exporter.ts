/** Spans as OTLP (protobuf over HTTP): what Jaeger 2, the OpenTelemetry collector and most vendors take. */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';

export interface OtlpTarget {
  /** Whole, path included: `http://jaeger:4318/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function createOtlpExporter({ url, headers }: OtlpTarget, timeoutMs: number): SpanExporter {
  return new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs });
}
