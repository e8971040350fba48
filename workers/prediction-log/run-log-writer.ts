/**
 * Puts the log writer process together: settings -> Redis -> stream, spool and database -> answers to the API, and a drain
 * on SIGTERM.
 */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadRecords } from '../../models/discover-tasks.ts';
import { boot, bootMetrics } from '../../shared/processes/boot.ts';
import { connectConsumer } from '../../shared/redis/connection.ts';
import { exposeConnection } from '../../shared/redis/redis-metrics.ts';
import { Announcement } from './announce.ts';
import { Answers, exportsFolder } from './answer-questions.ts';
import { openPglite, openPostgres } from './database/open-database.ts';
import { addLogHealth } from './log-health.ts';
import { PredictionLog } from './prediction-log.ts';
import { serveQuestions } from './serve-questions.ts';

const role = 'log';

export async function runLogWriter(): Promise<void> {
  const booted = boot(role);
  const { settings, redisUrl, logger, life, health } = booted;
  const redis = connectConsumer(redisUrl, logger);
  life.add('redis', () => redis.disconnect());
  const registry = await bootMetrics(role, booted);
  exposeConnection(registry, redis);
  await rm(join(settings.dataDir, exportsFolder), { recursive: true, force: true });

  const { databaseUrl, dataDir } = settings;
  const records = await loadRecords();
  const log = new PredictionLog({
    redis,
    dataDir,
    policy: settings.recording ?? 'none',
    records,
    registry,
    logger,
    open: (onError, signal) =>
      databaseUrl ? openPostgres(databaseUrl, onError) : openPglite(join(dataDir, 'predictions'), signal),
    opensWhenIdle: databaseUrl === undefined,
    days: settings.predictionDays,
    inputDays: settings.predictionInputDays,
  });
  await log.start();
  life.add('prediction log', () => log.stop());

  const token = randomBytes(24).toString('hex');
  const { all: answerers } = new Answers(log, records, dataDir);
  const host = settings.predictionLogHost;
  const server = await serveQuestions({ answerers, token, host, port: settings.predictionLogPort, logger });
  life.add('questions', () => server.stop());
  const url = settings.predictionLogUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
  const announcement = new Announcement(redis, { url, token }, () => log.writer.isHolding, logger);
  announcement.start();
  life.add('announcement', () => announcement.stop());
  addLogHealth(health, redis, log);
  life.tell({ type: 'ready', role });
  logger.info({ database: databaseUrl ? 'postgresql' : 'embedded' }, 'recording predictions');
}
