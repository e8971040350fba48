/**
 * Spans to Jaeger as Thrift, by HTTP to a collector or by UDP to an agent. The only file that knows
 * @opentelemetry/exporter-jaeger, which its makers have given up (docs/decisions/0010-exporter-jaeger-behind-one-file.md).
 */
import { JaegerExporter } from '@opentelemetry/exporter-jaeger';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';

export interface JaegerTarget {
  /** Thrift over HTTP: `http://jaeger:14268/api/traces`. Absent: UDP. */
  readonly endpoint: string | undefined;
  readonly agentHost: string;
  readonly agentPort: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** Below the 65,000 bytes of the package: its count leaves out what some fields add, and a datagram ends at 65,507. */
const packetBytesMax = 60_000;

export function createJaegerExporter(target: JaegerTarget): SpanExporter {
  return new JaegerExporter({
    ...(target.endpoint !== undefined && { endpoint: target.endpoint }),
    ...(target.user !== undefined && { username: target.user }),
    ...(target.password !== undefined && { password: target.password }),
    host: target.agentHost,
    port: target.agentPort,
    maxPacketSize: packetBytesMax,
    flushTimeout: 500,
  });
}
