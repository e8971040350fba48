/**
 * A real Jaeger 2 for tests, with the configuration that ships (`monitoring/jaeger.yml`) on ports of its own, and its
 * query API. Without tail sampling unless a test asks for it: then every span that arrives is there to be read.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { endProcess } from '../../shared/testing/end-process.ts';
import { findTool } from '../../shared/testing/find-tool.ts';
import { freePort } from '../../shared/testing/free-port.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';

export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[];
  /** Microseconds since 1970, and long. */
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  readonly logs: readonly { readonly fields: readonly { readonly key: string; readonly value: unknown }[] }[];
  readonly processID: string;
}

export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

export interface RunningJaeger {
  readonly thriftHttp: string;
  readonly udpPort: number;
  readonly otlp: string;
  readonly queryUrl: string;
  trace(id: string): Promise<JaegerTrace | null>;
  /** The newest traces of a service, a thousand at most. */
  tracesOf(service: string): Promise<readonly JaegerTrace[]>;
  stop(): Promise<void>;
}

/** Set: tail sampling as it ships, but decided so soon. */
export async function startJaeger(tail?: { readonly decisionWait: string }): Promise<RunningJaeger> {
  const binary = findTool('jaeger');
  if (!binary) throw new Error('no jaeger here');
  const folder = mkdtempSync(join(tmpdir(), 'millrace-jaeger-'));
  const ports = await takePorts();
  const config = join(folder, 'jaeger.yml');
  writeFileSync(config, configure(ports, tail?.decisionWait));
  const child = spawn(binary, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk) => (output = (output + chunk).slice(-4000)));
  const queryUrl = `http://127.0.0.1:${ports['16686']}`;
  try {
    await waitUntil('jaeger answers', async () => (await fetch(`${queryUrl}/api/services`)).ok, 90_000);
  } catch (error) {
    await endProcess(child);
    throw new Error(`Jaeger did not start:\n${output}`, { cause: error });
  }
  return {
    thriftHttp: `http://127.0.0.1:${ports['14268']}/api/traces`,
    udpPort: ports['6832'] as number,
    otlp: `http://127.0.0.1:${ports['4318']}`,
    queryUrl,
    trace: async (id) => (await query(`${queryUrl}/api/traces/${id}`))[0] ?? null,
    tracesOf: (service) => query(`${queryUrl}/api/traces?service=${service}&limit=1000&lookback=1h`),
    async stop() {
      await endProcess(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function tagOf(span: JaegerSpan, key: string): unknown {
  return span.tags.find((tag) => tag.key === key)?.value;
}

async function takePorts(): Promise<Record<string, number>> {
  const ports: Record<string, number> = {};
  for (const standard of ['4317', '4318', '14268', '6831', '6832', '13133', '16686', '16685'])
    ports[standard] = await freePort();
  return ports;
}

/** What ships, on these ports of the loopback. */
function configure(ports: Readonly<Record<string, number>>, decisionWait: string | undefined): string {
  const shipped = readFileSync(join(import.meta.dirname, '../../monitoring/jaeger.yml'), 'utf8');
  const text = shipped.replaceAll(/\$\{env:JAEGER_LISTEN:-0\.0\.0\.0\}:(\d+)/g, (_, standard) => {
    return `127.0.0.1:${ports[standard as string]}`;
  });
  const config = parse(text) as {
    service: { pipelines: { traces: { processors: string[] } } };
    processors: { tail_sampling: { decision_wait: string } };
  };
  const { traces } = config.service.pipelines;
  if (decisionWait === undefined) traces.processors = traces.processors.filter((name) => name !== 'tail_sampling');
  else config.processors.tail_sampling.decision_wait = decisionWait;
  return stringify(config);
}

async function query(url: string): Promise<readonly JaegerTrace[]> {
  const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
  if (response.status === 404) return [];
  return ((await response.json()) as { data: JaegerTrace[] | null }).data ?? [];
}
