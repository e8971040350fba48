/** Redis: does it answer, does it keep what it acknowledges, has it room, is it quick, and does its clock agree. */
import { createLogger } from '../../shared/observability/logger.ts';
import { connectProducer, findRedisFaults, type Redis, untilReady } from '../../shared/redis/connection.ts';
import { type Finding, fail, levelOf, ok, warn } from './finding.ts';

const connectMs = 3000;
const rounds = 20;
/** Admission closes at 70 % of maxmemory. */
const memoryShareWarn = 0.6;
const memoryShareFail = 0.7;
/** What the embedded one has. */
const memoryMibLeast = 1024;
/** On the same machine a PING takes 0.1 ms; each job costs about ten round trips. */
const latencyMsWarn = 5;
const latencyMsFail = 100;
/** Ages of queues compare our clock with Redis' own. */
const skewMsWarn = 500;
const skewMsFail = 30_000;

export interface RedisPlace {
  readonly url: string;
  /** What to type before a command to this server; it shows no password. */
  readonly cli: string;
  /** MILLRACE_UNSAFE_REDIS: who set it knows. */
  readonly mayLose: boolean;
}

export async function checkRedis({ url, cli, mayLose }: RedisPlace): Promise<Finding[]> {
  const { host } = new URL(url);
  const redis = connectProducer(url, createLogger('doctor', 'silent'), connectMs);
  let refusal: Error | undefined;
  redis.on('error', (error: Error) => {
    refusal = error;
  });
  try {
    await untilReady(redis, connectMs);
    const [info, faults] = await Promise.all([readInfo(redis), findRedisFaults(redis)]);
    return [
      ok('redis', `${info['redis_version'] ?? '?'} at ${host}`),
      ...durability(info, faults, { cli, mayLose }),
      memory(info, cli),
      await latency(redis, cli),
      await clock(redis),
    ];
  } catch (error) {
    const said = (refusal ?? (error as Error)).message;
    const isRefused = /WRONGPASS|NOAUTH/.test(said);
    const fix = isRefused
      ? 'Put the password into REDIS_URL: redis://:<password>@host:6379'
      : 'Correct REDIS_URL, or: systemctl start redis-server';
    return [fail('redis', `${host} ${isRefused ? 'refuses the password' : 'does not answer'} (${said})`, fix)];
  } finally {
    redis.disconnect();
  }
}

function durability(info: Info, faults: readonly string[], { cli, mayLose }: Omit<RedisPlace, 'url'>): Finding[] {
  const found = faults.map((fault) => {
    const [, command] = /\((CONFIG SET [^)]+)\)/.exec(fault) ?? [];
    const fix = command ? `${cli} ${command}` : 'Install Redis 7: apt-get install redis-server';
    return (mayLose ? warn : fail)('redis durable', fault.replace(/ \(CONFIG.*/, ''), fix);
  });
  const aof = info['aof_last_write_status'];
  if (info['aof_enabled'] === '1' && aof !== undefined && aof !== 'ok')
    found.push(fail('redis durable', `the last write of its log failed (${aof})`, 'Free space on its disk: df -h'));
  const rewrite = info['aof_last_bgrewrite_status'];
  if (rewrite !== undefined && rewrite !== 'ok')
    found.push(
      warn('redis durable', `rewriting its log failed (${rewrite})`, `Free memory and disk, then: ${cli} BGREWRITEAOF`),
    );
  return found.length > 0 ? found : [ok('redis durable', 'appendonly yes, appendfsync always, noeviction')];
}

function memory(info: Info, cli: string): Finding {
  const used = Number(info['used_memory']);
  const max = Number(info['maxmemory']);
  const wanted = Math.max(memoryMibLeast, 2 * mib(Math.max(max, used)));
  const fix = `${cli} CONFIG SET maxmemory ${wanted}mb   (embedded: MILLRACE_REDIS_MAX_MIB=${wanted} npm start)`;
  if (max === 0) return warn('redis memory', `${mib(used)} MiB used, no maxmemory: it can take the whole machine`, fix);
  const share = used / max;
  const detail = `${mib(used)} of ${mib(max)} MiB (${Math.round(share * 100)} %; admission closes at 70 %)`;
  const level = levelOf(share, memoryShareWarn, memoryShareFail);
  return level === 'ok' ? ok('redis memory', detail) : { name: 'redis memory', level, detail, fix };
}

async function latency(redis: Redis, cli: string): Promise<Finding> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedMs = performance.now();
    await redis.ping();
    times.push(performance.now() - startedMs);
  }
  times.sort((a, b) => a - b);
  const median = times[rounds / 2] ?? 0;
  const detail = `${median.toFixed(2)} ms a round trip, ${(times.at(-1) ?? 0).toFixed(2)} ms at most of ${rounds}`;
  const level = levelOf(median, latencyMsWarn, latencyMsFail);
  const fix = `See what holds it up: ${cli} SLOWLOG GET 10; ${cli} --latency`;
  return level === 'ok' ? ok('redis latency', detail) : { name: 'redis latency', level, detail, fix };
}

async function clock(redis: Redis): Promise<Finding> {
  const askedMs = Date.now();
  const [seconds, micros] = (await redis.time()) as unknown as [string | number, string | number];
  const here = (askedMs + Date.now()) / 2;
  const skewMs = Math.round(Number(seconds) * 1000 + Number(micros) / 1000 - here);
  return judgeClock(skewMs);
}

export function judgeClock(skewMs: number): Finding {
  const detail = `${Math.abs(skewMs)} ms ${skewMs < 0 ? 'behind' : 'ahead of'} ours`;
  const level = levelOf(Math.abs(skewMs), skewMsWarn, skewMsFail);
  const fix = 'Set both clocks by NTP: timedatectl set-ntp true';
  return level === 'ok' ? ok('redis clock', detail) : { name: 'redis clock', level, detail, fix };
}

type Info = Readonly<Record<string, string>>;

async function readInfo(redis: Redis): Promise<Info> {
  const text = await redis.info();
  return Object.fromEntries([...text.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name, value]) => [name, value]));
}

function mib(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
