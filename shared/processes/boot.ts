/** What every process of ours starts with: settings or a clear refusal, a logger, a life, its health and its metrics. */
import { readSettings, type Settings, SettingsError } from '../config/settings.ts';
import { createLogger, type Logger } from '../observability/logger.ts';
import { createRegistry, type Registry } from '../observability/metrics.ts';
import { serveMetrics } from '../observability/metrics-server.ts';
import type { Tracing } from '../observability/tracing/span.ts';
import { startTracing } from '../observability/tracing/start-tracing.ts';
import { Health } from './health.ts';
import { exitConfig, ProcessLife } from './process-life.ts';

export interface Booted {
  readonly settings: Settings;
  /** REDIS_URL, or the usual place for a process that was started by hand. */
  readonly redisUrl: string;
  readonly logger: Logger;
  readonly life: ProcessLife;
  /** What `/readyz` on METRICS_PORT answers: a role adds a check per part that it needs. */
  readonly health: Health;
}

/** Wrong settings end the process with every fault on standard error and exit code 78. */
export function boot(role: string, deadlineMs?: number): Booted {
  const settings = settingsOrExit();
  const logger = createLogger(role, settings.logLevel);
  const life = new ProcessLife(logger, deadlineMs);
  const health = new Health();
  health.add('process', () => life.examine());
  return {
    settings,
    redisUrl: settings.redisUrl ?? 'redis://127.0.0.1:6379',
    logger,
    life,
    health,
  };
}

/**
 * A registry that is served, with the process's health, on METRICS_PORT, which the launcher is told. `worker:cpu` is
 * labelled role="worker" and device="cpu".
 */
export async function bootMetrics(role: string, booted: Booted, port = booted.settings.metricsPort): Promise<Registry> {
  const { settings, life, health } = booted;
  const [kind = role, ...device] = role.split(':');
  const instance = [...device, process.pid].join('-');
  const registry = createRegistry(kind, instance, device.length > 0 ? { device: device.join(':') } : {});
  const server = await serveMetrics({ registry, ready: () => health.report(), host: settings.metricsHost, port });
  life.add('metrics', () => server.stop());
  life.tell({ type: 'metrics', role, port: server.port });
  return registry;
}

/** Before the parts that record spans: it stops after them, and sends their last ones. */
export async function bootTracing(role: string, booted: Booted, registry: Registry): Promise<Tracing> {
  const { settings, life, logger } = booted;
  const tracing = await startTracing({ settings: settings.tracing, role, registry, logger });
  life.add('tracing', () => tracing.stop());
  return tracing;
}

function settingsOrExit(): Settings {
  try {
    return readSettings();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(exitConfig);
  }
}
