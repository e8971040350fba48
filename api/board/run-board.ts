/** The process of the operators' pages: settings, Redis, listen; then stops in reverse order when told to. */
import type { AddressInfo } from 'node:net';
import { boot, bootMetrics, bootTracing } from '../../shared/processes/boot.ts';
import { examineRedis } from '../../shared/processes/health.ts';
import { exitConfig } from '../../shared/processes/process-life.ts';
import { connectProducer, untilReady } from '../../shared/redis/connection.ts';
import { exposeConnection } from '../../shared/redis/redis-metrics.ts';
import { buildBoard } from './build-board.ts';

const redisCommandMs = 5000;
const redisReadyMs = 60_000;

export async function runBoard(): Promise<void> {
  const booted = boot('board');
  const { settings, logger, life, health, redisUrl } = booted;
  const redis = connectProducer(redisUrl, logger, redisCommandMs);
  life.add('redis', () => redis.disconnect());
  health.add('redis', examineRedis(redis));
  const registry = await bootMetrics('board', booted);
  exposeConnection(registry, redis);
  const tracing = await bootTracing('board', booted, registry);
  await untilReady(redis, redisReadyMs);

  const board = await buildBoard({ settings, redis, logger, tracing });
  life.add('board', () => board.stop());
  if (board.parts.tokenFile) logger.info({ file: board.parts.tokenFile }, 'the admin token is in this file');

  const [host, port] =
    settings.boardPort === undefined ? [settings.adminHost, settings.adminPort] : ['127.0.0.1', settings.boardPort];
  board.server.once('error', (error: NodeJS.ErrnoException) => {
    process.stderr.write(`The board can not listen on ${host}:${port}: ${error.message}\n`);
    void life.stop('can not listen', error.code === 'EADDRINUSE' || error.code === 'EACCES' ? exitConfig : 1);
  });
  board.server.listen(port, host, () => {
    const { address, port: taken, family } = board.server.address() as AddressInfo;
    const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
    life.tell({ type: 'ready', role: 'board', urls: { board: url } });
    logger.info({ url }, 'board listens');
  });
}
