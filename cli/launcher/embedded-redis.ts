/** The redis-server that `npm start` keeps in its data folder: whether it runs now, and its address if so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './process-identity.ts';

export interface RunningRedis {
  readonly url: string;
  /** The command line that reaches it; the password stays in its file. */
  readonly cli: string;
}

/** Undefined when it does not run. */
export function findEmbeddedRedis(dataDir: string): RunningRedis | undefined {
  const dir = join(dataDir, 'redis');
  try {
    const pid = Number(readFileSync(join(dir, 'redis.pid'), 'utf8'));
    if (!(pid > 1) || !isAlive(pid)) return undefined;
    const conf = readFileSync(join(dir, 'redis.conf'), 'utf8');
    const read = (name: string) => new RegExp(`^${name} (\\S+)$`, 'm').exec(conf)?.[1] ?? '';
    const port = read('port');
    return {
      url: `redis://:${read('requirepass')}@127.0.0.1:${port}`,
      cli: `REDISCLI_AUTH="$(cat ${join(dir, 'password')})" redis-cli -p ${port}`,
    };
  } catch {
    return undefined;
  }
}
