/** The redis-server that `npm start` keeps in its data folder: whether it runs now, and its address if so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './process-identity.ts';

/** Undefined when it does not run. */
export function embeddedRedisUrl(dataDir: string): string | undefined {
  const dir = join(dataDir, 'redis');
  try {
    const pid = Number(readFileSync(join(dir, 'redis.pid'), 'utf8'));
    if (!(pid > 1) || !isAlive(pid)) return undefined;
    const conf = readFileSync(join(dir, 'redis.conf'), 'utf8');
    const read = (name: string) => new RegExp(`^${name} (\\S+)$`, 'm').exec(conf)?.[1];
    return `redis://:${read('requirepass') ?? ''}@127.0.0.1:${read('port')}`;
  } catch {
    return undefined;
  }
}
