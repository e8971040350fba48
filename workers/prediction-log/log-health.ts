/** What makes the log writer ready: Redis answers, it is the writer, and the database takes rows. */
import { broken, examineRedis, type Health, well } from '../../shared/processes/health.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import type { PredictionLog } from './prediction-log.ts';

export function addLogHealth(health: Health, redis: Redis, log: PredictionLog): void {
  health.add('redis', examineRedis(redis));
  health.add('writer', () =>
    log.writer.isHolding ? well('reads the stream') : well('stands by: another log writer reads the stream'),
  );
  health.add('database', () => {
    const { fault } = log.keeper;
    if (fault === null) return well('open');
    if (log.isIdle) return well('opens when there is something to record');
    return broken(`away (${fault}); rows wait on disk`, 'Start PostgreSQL, or correct DATABASE_URL.');
  });
}
