/** What every process of ours starts with: settings or a clear refusal, a logger, a life, and its metrics. */
import { readSettings, type Settings, SettingsError } from '../config/settings.ts';
import { createLogger, type Logger } from '../observability/logger.ts';
import { createRegistry, type Registry } from '../observability/metrics.ts';
import { serveMetrics } from '../observability/metrics-server.ts';
import { exitConfig, ProcessLife } from './process-life.ts';

export interface Booted {
  readonly settings: Settings;
  /** REDIS_URL, or the usual place for a process that was started by hand. */
  readonly redisUrl: string;
  readonly logger: Logger;
  readonly life: ProcessLife;
}

/** Wrong settings end the process with every fault on standard error and exit code 78. */
export function boot(role: string, deadlineMs?: number): Booted {
  const settings = settingsOrExit();
  const logger = createLogger(role, settings.logLevel);
  return {
    settings,
    redisUrl: settings.redisUrl ?? 'redis://127.0.0.1:6379',
    logger,
    life: new ProcessLife(logger, deadlineMs),
  };
}

/** A registry that is served on METRICS_PORT, which the launcher is told. `worker:cpu` is labelled role="worker". */
export async function bootMetrics(role: string, { settings, life }: Booted): Promise<Registry> {
  const [kind = role, ...device] = role.split(':');
  const registry = createRegistry(kind, [...device, process.pid].join('-'));
  const server = await serveMetrics(registry, settings.metricsPort);
  life.add('metrics', () => server.stop());
  life.tell({ type: 'metrics', role, port: server.port });
  return registry;
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
