/**
 * A real Prometheus for tests, with the configuration and the rules that ship, on shorter intervals and windows, and its
 * query API.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { type RunningProgram, startProgram } from './programs.ts';
import { root, ruleFiles, scaleDurations } from './rule-files.ts';

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

export interface RunningPrometheus {
  readonly url: string;
  /** Throws what Prometheus finds wrong with the expression. */
  query(expr: string): Promise<readonly Series[]>;
  /** The labels of every series that it has of a metric. */
  seriesOf(metric: string): Promise<readonly Readonly<Record<string, string>>[]>;
  alerts(): Promise<readonly Alert[]>;
  stop(): Promise<void>;
}

export interface PrometheusWish {
  /** Job of a shipped configuration -> addresses. Jobs without any are left out. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
  /** Every duration in the rules times this. */
  readonly factor: number;
  readonly intervalSeconds?: number;
}

interface ScrapeJob {
  readonly job_name: string;
  readonly [setting: string]: unknown;
}

export async function startPrometheus(wish: PrometheusWish): Promise<RunningPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-prometheus-'));
  writeRules(join(folder, 'rules'), wish.factor);
  writeFileSync(join(folder, 'prometheus.yml'), stringify(configure(wish)));
  const server = await startProgram({
    name: 'prometheus',
    args: (address) => [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=error',
    ],
    readyPath: '/-/ready',
  });
  return talkTo(server, folder);
}

function writeRules(folder: string, factor: number): void {
  mkdirSync(folder);
  for (const file of ruleFiles())
    writeFileSync(join(folder, basename(file)), scaleDurations(readFileSync(file, 'utf8'), factor));
}

/** The jobs of both files that ship, with addresses of this machine instead of names of others. */
function configure({ targets, intervalSeconds = 1 }: PrometheusWish): object {
  const jobs = ['prometheus.yml', 'monitoring/prometheus/local.yml'].flatMap(
    (file) =>
      (parse(readFileSync(join(root, file), 'utf8'), { merge: true }) as { scrape_configs: ScrapeJob[] })
        .scrape_configs,
  );
  const wanted = Object.entries(targets).map(([name, addresses]) => {
    const job = jobs.find(({ job_name: known }) => known === name);
    if (!job) throw new Error(`No configuration that ships has a job ${name}.`);
    const { dns_sd_configs: _dns, file_sd_configs: _files, ...kept } = job;
    return { ...kept, static_configs: [{ targets: addresses }] };
  });
  const interval = `${intervalSeconds}s`;
  return {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: ['rules/*.yml'],
    scrape_configs: wanted,
  };
}

function talkTo(server: RunningProgram, folder: string): RunningPrometheus {
  const url = `http://${server.address}`;
  const ask = async (path: string, parameters: Record<string, string> = {}) => {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`, {
      signal: AbortSignal.timeout(60_000),
    });
    const answer = (await response.json()) as { status: string; error?: string; data: unknown };
    if (answer.status !== 'success') throw new Error(`${answer.error}: ${parameters['query'] ?? path}`);
    return answer.data;
  };
  return {
    url,
    async query(expr) {
      const { resultType, result } = (await ask('query', { query: expr })) as QueryData;
      if (resultType === 'scalar') return [{ labels: {}, value: Number((result as [number, string])[1]) }];
      return (result as { metric: Record<string, string>; value: [number, string] }[]).map(({ metric, value }) => ({
        labels: metric,
        value: Number(value[1]),
      }));
    },
    seriesOf: async (metric) => (await ask('series', { 'match[]': metric })) as Record<string, string>[],
    alerts: async () => ((await ask('alerts')) as { alerts: Alert[] }).alerts,
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface QueryData {
  readonly resultType: 'vector' | 'scalar' | 'matrix' | 'string';
  readonly result: unknown;
}
