/**
 * Where spans go, from the standard variables of OpenTelemetry. Pure: takes what `settings.ts` has parsed, and knows the
 * rules that the specification has for them (which endpoint wins, how headers are written).
 */
import { z } from 'zod';

export interface TracingSettings {
  readonly exporter: 'jaeger' | 'otlp' | 'none';
  /** Share of the traces begun here that are recorded; a caller's flag goes before it. */
  readonly ratio: number;
  readonly serviceName: string;
  readonly jaeger: {
    readonly endpoint: string | undefined;
    readonly agentHost: string;
    readonly agentPort: number;
    readonly user: string | undefined;
    readonly password: string | undefined;
  };
  readonly otlp: { readonly url: string; readonly headers: Readonly<Record<string, string>> };
}

export interface TracingVariables {
  readonly OTEL_TRACES_EXPORTER?: 'jaeger' | 'otlp' | 'none' | undefined;
  readonly OTEL_EXPORTER_JAEGER_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_JAEGER_AGENT_HOST?: string | undefined;
  readonly OTEL_EXPORTER_JAEGER_AGENT_PORT: number;
  readonly OTEL_EXPORTER_JAEGER_USER?: string | undefined;
  readonly OTEL_EXPORTER_JAEGER_PASSWORD?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_HEADERS: Readonly<Record<string, string>>;
  readonly OTEL_TRACES_SAMPLER_ARG: number;
  readonly OTEL_SERVICE_NAME: string;
}

/** `name=value,name=value`, percent-encoded. A fault is told without the text: it is a secret as a rule. */
export const headerPairs = z
  .string()
  .default('')
  .transform((text, context) => {
    const headers: Record<string, string> = {};
    for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
      const [, name, value = ''] = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
      const decoded = decode(value);
      if (name === undefined || decoded === null) {
        context.addIssue({ code: 'custom', message: 'each is name=value, percent-encoded, with commas between' });
        return z.NEVER;
      }
      headers[name] = decoded;
    }
    return headers;
  });

export function readTracingSettings(given: TracingVariables): TracingSettings {
  return {
    exporter: given.OTEL_TRACES_EXPORTER ?? impliedExporter(given),
    ratio: given.OTEL_TRACES_SAMPLER_ARG,
    serviceName: given.OTEL_SERVICE_NAME,
    jaeger: {
      endpoint: given.OTEL_EXPORTER_JAEGER_ENDPOINT,
      agentHost: given.OTEL_EXPORTER_JAEGER_AGENT_HOST ?? '127.0.0.1',
      agentPort: given.OTEL_EXPORTER_JAEGER_AGENT_PORT,
      user: given.OTEL_EXPORTER_JAEGER_USER,
      password: given.OTEL_EXPORTER_JAEGER_PASSWORD,
    },
    otlp: { url: otlpUrl(given), headers: given.OTEL_EXPORTER_OTLP_HEADERS },
  };
}

/** An endpoint that was named is meant to be used. */
function impliedExporter(given: TracingVariables): TracingSettings['exporter'] {
  if (given.OTEL_EXPORTER_JAEGER_ENDPOINT || given.OTEL_EXPORTER_JAEGER_AGENT_HOST) return 'jaeger';
  return given.OTEL_EXPORTER_OTLP_ENDPOINT || given.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ? 'otlp' : 'none';
}

/** The specification appends the path to the general endpoint and takes the traces' own as it is. */
function otlpUrl(given: TracingVariables): string {
  const base = given.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'http://127.0.0.1:4318';
  return given.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? `${base.replace(/\/+$/, '')}/v1/traces`;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
