/**
 * What tracing costs the process that records: CPU per job that is not recorded over the same with tracing off, and CPU
 * per span by exporter, down to the bytes on the socket of a collector that takes everything.
 */
import { join } from 'node:path';
import { readSettings } from '../../shared/config/settings.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { createRegistry } from '../../shared/observability/metrics.ts';
import { noTracing, type Span, type Tracing } from '../../shared/observability/tracing/span.ts';
import { startTracing } from '../../shared/observability/tracing/start-tracing.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { EngineCalls } from '../../workers/tracing/engine-calls.ts';
import { HelperProcess } from '../method/helper-process.ts';
import type { BenchOptions } from '../method/options.ts';
import { median } from '../method/ratio.ts';
import { printTable, round } from '../method/report.ts';
import { jobsPerCall, runCall, spansPerCall } from './job-load.ts';

const logger = createLogger('bench', 'warn');
/** Below the queue's bound, so that nothing is dropped. */
const callsPerRound = 24;
const rounds = 20;

export async function benchTracing({ pairs }: BenchOptions): Promise<void> {
  const { off, unrecorded } = measureUnrecorded(pairs);
  const sink = new HelperProcess(join(import.meta.dirname, 'sink.ts'));
  const { port, udpPort } = await sink.next<{ type: 'ready'; port: number; udpPort: number }>('ready');
  const built = new Counting();
  const perExporter: [string, number, number][] = [['put together only', ...(await spanUs(built, () => built.count))]];
  const environments = {
    'jaeger, Thrift by HTTP': { OTEL_EXPORTER_JAEGER_ENDPOINT: `http://127.0.0.1:${port}/api/traces` },
    'jaeger, Thrift by UDP': { OTEL_TRACES_EXPORTER: 'jaeger', OTEL_EXPORTER_JAEGER_AGENT_PORT: `${udpPort}` },
    otlp: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
  };
  for (const [name, env] of Object.entries(environments)) perExporter.push([name, ...(await exported(env))]);
  await sink.stop();
  printTable(
    ['a job of one item', 'ns'],
    [
      ['tracing off', off],
      ['tracing on, not recorded', unrecorded],
    ],
  );
  console.log('');
  printTable(['recorded', 'us/span', 'us/job'], perExporter);
  const spans = Object.fromEntries(perExporter.map(([name, us]) => [name, round(us)]));
  console.log(
    `\n${JSON.stringify({ name: 'tracing', unsampled_ns_per_job: Math.round(unrecorded - off), us_per_span: spans })}`,
  );
}

class Counting implements Tracing {
  readonly isOn = true;
  readonly accept = noTracing.accept;
  count = 0;

  record(spans: readonly Span[]): void {
    this.count += spans.length;
  }
}

const sampledHeader = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** In turn, so that what else the machine does meets both; the first turn warms the compiler. */
function measureUnrecorded(turns: number): { off: number; unrecorded: number } {
  const off: number[] = [];
  const unrecorded: number[] = [];
  const chosesNone = { ...noTracing, isOn: true };
  for (let turn = 0; turn <= 4 * turns; turn++) {
    off.push(nsPerJob(noTracing));
    unrecorded.push(nsPerJob(chosesNone));
  }
  return { off: median(off.slice(1)), unrecorded: median(unrecorded.slice(1)) };
}

function nsPerJob(tracing: Tracing): number {
  const calls = new EngineCalls(tracing, 'cpu');
  const count = 5000;
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) runCall(tracing, calls, undefined);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / (count * jobsPerCall);
}

async function exported(env: Record<string, string>): Promise<[number, number]> {
  const registry = createRegistry('bench', 'bench');
  const tracing = await startTracing({ settings: readSettings(env).tracing, role: 'bench', registry, logger });
  const sent = async (): Promise<number> => {
    const { values = [] } = (await registry.getSingleMetric('inference_spans_total')?.get()) ?? {};
    const count = (result: string) => values.find(({ labels }) => labels['result'] === result)?.value ?? 0;
    if (count('dropped') + count('failed') > 0) throw new Error('spans were lost: the figure would be too low');
    return count('exported');
  };
  const figures = await spanUs(tracing, sent);
  await tracing.stop();
  return figures;
}

/** CPU of this process per span and per job, from the numbers a job leaves to the last byte sent. */
async function spanUs(tracing: Tracing, sent: () => number | Promise<number>): Promise<[number, number]> {
  const calls = new EngineCalls(tracing, 'cpu');
  let jobs = 0;
  let waited = process.cpuUsage();
  let before = 0;
  for (let round = 0; round <= rounds; round++) {
    if (round === 1) {
      // The first round warmed the compiler.
      waited = process.cpuUsage();
      before = await sent();
      jobs = 0;
    }
    const had = await sent();
    for (let i = 0; i < callsPerRound; i++) jobs += runCall(tracing, calls, sampledHeader);
    await waitUntil('they are sent', async () => (await sent()) >= had + callsPerRound * spansPerCall, 60_000);
  }
  const { user, system } = process.cpuUsage(waited);
  const spans = (await sent()) - before;
  return [(user + system) / spans, (user + system) / jobs];
}
