/**
 * The only reader of the environment. Owns every setting's name, unit, default and reason; reports all faults at once.
 */
import { readFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { z } from 'zod';
import { type InputPolicy, inputPolicies } from '../jobs/store/words.ts';
import { headerPairs, readTracingSettings, type TracingSettings } from './tracing-settings.ts';

const port = (fallback: number) => z.coerce.number().int().min(0).max(65535).default(fallback);
const flag = z
  .enum(['0', '1', 'false', 'true', ''])
  .default('')
  .transform((value) => value === '1' || value === 'true');
const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  );

const environment = z.object({
  /** Address of the public API. Any other than loopback needs a key, so that nobody serves the world by accident. */
  HOST: z.string().default('127.0.0.1'),
  PORT: port(8080),
  /** Origin that callers reach the API under, for URLs in webhooks; http://HOST:PORT when absent. */
  PUBLIC_URL: z.url().optional(),
  /** Address of metrics and of the operator's pages (/admin). Loopback by default: it is not for callers. */
  ADMIN_HOST: z.string().default('127.0.0.1'),
  ADMIN_PORT: port(8081),
  /** Address of each process's own metrics and health: the loopback, or 0.0.0.0 in a container on a private network. */
  METRICS_HOST: z.string().default('127.0.0.1'),
  /** Port of this one process's own metrics, `/livez` and `/readyz`; 0 takes a free one and tells the launcher. Worker n of several devices takes the n-th after it. */
  METRICS_PORT: port(0),
  /** Guards /admin, and /metrics too when ADMIN_HOST is not loopback. Absent: made once, kept in MILLRACE_DATA/admin-token, printed. */
  ADMIN_TOKEN: z.string().min(16).optional(),
  /** Origin that operators open the admin port under, behind a proxy. With https the session's cookie is Secure. */
  ADMIN_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Port on the loopback of the process behind /admin; 0 takes a free one. Absent: it listens on ADMIN_HOST:ADMIN_PORT itself. */
  BOARD_PORT: z.coerce.number().int().min(0).max(65535).optional(),
  /** Where operators open Jaeger and Grafana, for links on the pages of /admin: http://127.0.0.1:16686, say. */
  JAEGER_UI_URL: z.url({ protocol: /^https?$/ }).optional(),
  GRAFANA_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Folder of everything that must survive a restart: Redis' files, blobs. */
  MILLRACE_DATA: z.string().default('.millrace'),
  /** Comma-separated keys, each `<key>` (tenant "default") or `<tenant>=<key>`; 16 characters at least. */
  MILLRACE_API_KEYS: z.string().default(''),
  /** Absent: a redis-server child with durable settings is started. */
  REDIS_URL: z.string().url().optional(),
  /** Starts on a Redis that can lose acknowledged jobs (no AOF `always`, or an eviction policy). */
  MILLRACE_UNSAFE_REDIS: flag,
  /** maxmemory of the embedded redis-server, MiB; admission closes at 70 % of it. */
  MILLRACE_REDIS_MAX_MIB: z.coerce.number().int().min(16).default(1024),
  /** Folders of more models, separated by `:`; MILLRACE_DATA/models when absent. Each subfolder in Hub layout is served under its name, ahead of the starters. `models pull` writes into the first. */
  MODELS_DIR: z.string().optional(),
  /** Hosts, host:port pairs or CIDR blocks of private addresses that URLs and webhooks may name. */
  MILLRACE_ALLOW_HOSTS: list,
  /** One worker per entry: `cpu`, or `cuda:<index>` (sets CUDA_VISIBLE_DEVICES of its lanes). */
  MILLRACE_DEVICES: list
    .transform((devices) => (devices.length > 0 ? devices : ['cpu']))
    .refine(
      (devices) => devices.every((device) => /^(cpu|cuda:\d{1,2})$/.test(device)),
      'each is "cpu" or "cuda:<index>"',
    ),
  /** Lanes (child processes with ONNX sessions) per worker; 0 means one per core on CPU, one on a GPU, or what was measured. */
  MILLRACE_LANES: z.coerce.number().int().min(0).max(64).default(0),
  /** Intra-op threads per lane; 0 means one, or what was measured: a CPU worker that has rested a minute tries it on its calls. */
  MILLRACE_LANE_THREADS: z.coerce.number().int().min(0).max(64).default(0),
  /** MiB that the models of a CPU worker may take, all lanes together; 0 means 60 % of the memory of machine or container. */
  MILLRACE_MODEL_MEMORY_MIB: z.coerce.number().int().min(0).default(0),
  /** Seconds an outcome is kept after the end of its job. */
  MILLRACE_RETENTION_SECONDS: z.coerce.number().int().min(1).max(2_592_000).default(3600),
  /** Largest request body and remote file, MiB. */
  MILLRACE_BODY_MAX_MIB: z.coerce.number().int().min(1).max(1024).default(64),
  /** Unfinished jobs per queue above which admission answers 503, and per tenant above which it answers 429. */
  MILLRACE_QUEUE_MAX: z.coerce.number().int().min(1).default(100_000),
  MILLRACE_TENANT_MAX: z.coerce.number().int().min(1).default(100_000),
  /** Seconds that the oldest waiting job of a queue may be old before admission answers 503. */
  MILLRACE_QUEUE_AGE_MAX_SECONDS: z.coerce.number().int().min(1).default(3600),
  /** Where spans go: `jaeger` (Thrift), `otlp` or `none`. Absent: the one whose endpoint is named, else none. */
  OTEL_TRACES_EXPORTER: z.enum(['jaeger', 'otlp', 'none']).optional(),
  /** Share of traces that are recorded when no caller decides, 0 to 1. Errors and slow jobs are kept by the collector. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(0.1),
  /** Services are called <this>-api, <this>-worker, <this>-delivery and <this>-board. */
  OTEL_SERVICE_NAME: z.string().default('millrace'),
  /** `http://jaeger:14268/api/traces` for Thrift over HTTP, with user and password if it asks for them. Absent: UDP. */
  OTEL_EXPORTER_JAEGER_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_EXPORTER_JAEGER_USER: z.string().optional(),
  OTEL_EXPORTER_JAEGER_PASSWORD: z.string().optional(),
  /** Agent that takes Thrift by UDP; 127.0.0.1 when absent. */
  OTEL_EXPORTER_JAEGER_AGENT_HOST: z.string().optional(),
  OTEL_EXPORTER_JAEGER_AGENT_PORT: port(6832),
  /** OTLP over HTTP: the base that `/v1/traces` is added to, or the whole URL for traces; http://127.0.0.1:4318 when absent. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  /** `name=value,name=value`: sent with every OTLP request, such as a vendor's key. */
  OTEL_EXPORTER_OTLP_HEADERS: headerPairs,
  /** Whether every prediction is recorded, by the log writer process, for search, feedback, datasets and drift. */
  MILLRACE_PREDICTIONS: z.enum(['on', 'off', '']).default('on'),
  /** postgres://... of the record of predictions. Absent: PostgreSQL embedded in the log writer (PGlite), under MILLRACE_DATA. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** What is recorded of an input: `none`, its SHA-256 (`hash`), or itself (`full`: texts up to 64 KB, and media). */
  MILLRACE_PREDICTION_INPUTS: z.enum(inputPolicies).default('hash'),
  /** Days that a recorded prediction is kept, with its feedback. */
  MILLRACE_PREDICTION_DAYS: z.coerce.number().int().min(1).max(36_500).default(90),
  /** Days that a recorded input is kept, under the policy `full`; the prediction stays. */
  MILLRACE_PREDICTION_INPUT_DAYS: z.coerce.number().int().min(1).max(36_500).default(30),
  /** Address where the log writer answers the API, with a token. Another than loopback only on a private network. */
  PREDICTION_LOG_HOST: z.string().default('127.0.0.1'),
  PREDICTION_LOG_PORT: port(0),
  /** Origin under which API processes reach the log writer; http://PREDICTION_LOG_HOST:port when absent. */
  PREDICTION_LOG_URL: z.url().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

/** Names of all variables; each may also be given as `<name>_FILE`. */
export const knownSettings: ReadonlySet<string> = new Set(Object.keys(environment.shape));

export interface ApiKey {
  readonly tenant: string;
  readonly key: string;
}

export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly metricsHost: string;
  readonly metricsPort: number;
  readonly adminToken: string | undefined;
  readonly adminUrl: string | undefined;
  readonly boardPort: number | undefined;
  readonly jaegerUiUrl: string | undefined;
  readonly grafanaUrl: string | undefined;
  readonly dataDir: string;
  readonly apiKeys: readonly ApiKey[];
  /** Absent: the launcher starts a redis-server of its own and hands its URL down. */
  readonly redisUrl: string | undefined;
  readonly unsafeRedis: boolean;
  readonly redisMaxMib: number;
  /** The last holds the models that ship. */
  readonly modelDirs: readonly string[];
  /** The first of them: what the user pulls or adds goes there. */
  readonly modelHome: string;
  readonly allowHosts: readonly string[];
  readonly devices: readonly string[];
  /** 0 where nobody says it. */
  readonly lanesPerWorker: number;
  /** 0 where nobody says it. */
  readonly laneThreads: number;
  /** 0 where nobody says it. */
  readonly modelMemoryBytes: number;
  readonly retentionSeconds: number;
  readonly bodyMaxBytes: number;
  readonly queueMax: number;
  readonly tenantMax: number;
  readonly queueAgeMaxSeconds: number;
  readonly tracing: TracingSettings;
  /** What is recorded of inputs; undefined when no prediction is recorded. */
  readonly recording: InputPolicy | undefined;
  /** Absent: the log writer runs PGlite under `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly predictionDays: number;
  readonly predictionInputDays: number;
  readonly predictionLogHost: string;
  readonly predictionLogPort: number;
  readonly predictionLogUrl: string | undefined;
  readonly logLevel: z.infer<typeof environment>['LOG_LEVEL'];
}

export class SettingsError extends Error {}

/** `models/zoo` beside this code: the models that ship. */
const zooDir = resolve(import.meta.dirname, '../../models/zoo');
const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

/** zod says "received NaN" of a word where a number belongs. */
function describeFault(issue: { readonly code?: string | undefined; readonly input?: unknown }): string | undefined {
  return issue.code === 'invalid_type' && Number.isNaN(issue.input) ? 'a number is expected' : undefined;
}

/** Reads and checks the environment. Throws one SettingsError that lists every fault. */
export function readSettings(env: Record<string, string | undefined> = process.env): Settings {
  const faults: string[] = [];
  const given = withFiles(env, faults);
  const apiKeys = parseKeys(given['MILLRACE_API_KEYS'] ?? '', faults);
  const host = given['HOST'] ?? '127.0.0.1';
  if (!loopback.has(host) && apiKeys.length === 0) {
    faults.push(
      `HOST is ${host}, which others can reach, but MILLRACE_API_KEYS is empty. Set a key, or HOST=127.0.0.1.`,
    );
  }
  const parsed = environment.safeParse(given, { error: describeFault });
  if (!parsed.success)
    faults.unshift(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  if (!parsed.success || faults.length > 0) throw new SettingsError(`Settings are wrong:\n- ${faults.join('\n- ')}`);
  const e = parsed.data;
  const modelDirs = [...modelFolders(e.MODELS_DIR, e.MILLRACE_DATA), zooDir];
  return Object.freeze({
    host: e.HOST,
    port: e.PORT,
    publicUrl: (e.PUBLIC_URL ?? `http://${e.HOST}:${e.PORT}`).replace(/\/$/, ''),
    adminHost: e.ADMIN_HOST,
    adminPort: e.ADMIN_PORT,
    metricsHost: e.METRICS_HOST,
    metricsPort: e.METRICS_PORT,
    adminToken: e.ADMIN_TOKEN,
    adminUrl: e.ADMIN_URL,
    boardPort: e.BOARD_PORT,
    jaegerUiUrl: e.JAEGER_UI_URL,
    grafanaUrl: e.GRAFANA_URL,
    dataDir: resolve(e.MILLRACE_DATA),
    apiKeys,
    redisUrl: e.REDIS_URL,
    unsafeRedis: e.MILLRACE_UNSAFE_REDIS,
    redisMaxMib: e.MILLRACE_REDIS_MAX_MIB,
    modelDirs,
    modelHome: modelDirs[0] ?? zooDir,
    allowHosts: e.MILLRACE_ALLOW_HOSTS,
    devices: e.MILLRACE_DEVICES,
    lanesPerWorker: e.MILLRACE_LANES,
    laneThreads: e.MILLRACE_LANE_THREADS,
    modelMemoryBytes: e.MILLRACE_MODEL_MEMORY_MIB * 2 ** 20,
    retentionSeconds: e.MILLRACE_RETENTION_SECONDS,
    bodyMaxBytes: e.MILLRACE_BODY_MAX_MIB * 2 ** 20,
    queueMax: e.MILLRACE_QUEUE_MAX,
    tenantMax: e.MILLRACE_TENANT_MAX,
    queueAgeMaxSeconds: e.MILLRACE_QUEUE_AGE_MAX_SECONDS,
    tracing: readTracingSettings(e),
    recording: e.MILLRACE_PREDICTIONS === 'off' ? undefined : e.MILLRACE_PREDICTION_INPUTS,
    databaseUrl: e.DATABASE_URL,
    predictionDays: e.MILLRACE_PREDICTION_DAYS,
    predictionInputDays: e.MILLRACE_PREDICTION_INPUT_DAYS,
    predictionLogHost: e.PREDICTION_LOG_HOST,
    predictionLogPort: e.PREDICTION_LOG_PORT,
    predictionLogUrl: e.PREDICTION_LOG_URL,
    logLevel: e.LOG_LEVEL,
  });
}

function modelFolders(given: string | undefined, dataDir: string): string[] {
  const folders = (given ?? '').split(delimiter).filter(Boolean);
  return (folders.length > 0 ? folders : [join(dataDir, 'models')]).map((folder) => resolve(folder));
}

/** Secrets may come from files (`ADMIN_TOKEN_FILE`), as container secrets do. Empty variables count as absent. */
function withFiles(env: Record<string, string | undefined>, faults: string[]): Record<string, string> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(environment.shape)) {
    const value = env[name];
    const file = env[`${name}_FILE`];
    if (value) given[name] = value;
    else if (file) {
      try {
        given[name] = readFileSync(file, 'utf8').trim();
      } catch (error) {
        faults.push(`${name}_FILE: can not read ${file}: ${(error as Error).message}`);
      }
    }
  }
  return given;
}

function parseKeys(text: string, faults: string[]): ApiKey[] {
  const tenants = new Map<string, string>();
  return text
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter(Boolean)
    .map((entry) => {
      const [, tenant = 'default', key = ''] = /^(?:([a-z0-9-]{1,32})=)?(.*)$/.exec(entry) ?? [];
      if (key.length < 16)
        faults.push(`MILLRACE_API_KEYS: the key of tenant "${tenant}" has ${key.length} characters; 16 are the least.`);
      const other = tenants.get(key) ?? tenant;
      if (other !== tenant)
        faults.push(`MILLRACE_API_KEYS: tenants "${other}" and "${tenant}" have the same key. Give each its own.`);
      tenants.set(key, tenant);
      return { tenant, key };
    });
}
