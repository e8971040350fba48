/**
 * Redis as a process of ours sees it: whether it is connected, how long a durable write takes, and (for one role) what
 * the server says of its memory and its append-only file. A write each second, since an idle system has no other, and
 * PING would not show a slow disk.
 */
import { keys } from '../jobs/keys.ts';
import { askOnce } from '../observability/collect-within.ts';
import { Gauge, Histogram, type Registry, secondsBuckets } from '../observability/metrics.ts';
import type { Redis } from './connection.ts';

const probeEveryMs = 1000;
/** Left behind by the last process: the key goes by itself. */
const probeKeptMs = 60_000;

export interface RedisWatch {
  /** Idempotent. */
  stop(): void;
}

/** For a process that gives way to all others: what a write takes it would tell of the processor, not of Redis. */
export function exposeConnection(registry: Registry, redis: Redis): void {
  new Gauge({
    name: 'inference_redis_connected',
    help: '1 while the connection to Redis is up',
    registers: [registry],
    collect() {
      this.set(redis.status === 'ready' ? 1 : 0);
    },
  });
}

export function watchRedis(registry: Registry, redis: Redis): RedisWatch {
  exposeConnection(registry, redis);
  const writes = new Histogram({
    name: 'inference_redis_write_seconds',
    help: 'One durable write, every second: loop, network, Redis, its disk',
    buckets: secondsBuckets,
    registers: [registry],
  });
  let isWriting = false;
  const write = async () => {
    if (isWriting) return;
    isWriting = true;
    const startedMs = performance.now();
    try {
      await redis.set(keys.probe, '1', 'PX', probeKeptMs);
    } catch {
      // Refused or timed out: as long as it took is how long it took.
    }
    writes.observe((performance.now() - startedMs) / 1000);
    isWriting = false;
  };
  const timer = setInterval(() => void write(), probeEveryMs).unref();
  return { stop: () => clearInterval(timer) };
}

/** What INFO says, as gauges. Absent while Redis does not answer: `inference_redis_connected` says that. */
export function exposeRedisServer(registry: Registry, redis: Redis): void {
  const info = askOnce(async () => parseInfo((await redis.info('memory')) + (await redis.info('persistence'))));
  const gauge = (name: string, help: string, read: (fields: Record<string, string>) => string | undefined) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.remove();
        const value = read((await info()) ?? {});
        if (value !== undefined) this.set(Number(value));
      },
    });
  const isOk = (status: string | undefined) => (status === undefined ? undefined : status === 'ok' ? '1' : '0');
  gauge('inference_redis_memory_bytes', 'used_memory', (info) => info['used_memory']);
  gauge('inference_redis_memory_max_bytes', 'maxmemory; 0 is no limit', (info) => info['maxmemory']);
  gauge('inference_redis_aof_enabled', '1 while writes go to disk', (info) => info['aof_enabled']);
  gauge('inference_redis_aof_write_ok', '0 after a failed write of the append-only file', (info) =>
    isOk(info['aof_last_write_status']),
  );
  gauge('inference_redis_aof_rewrite_ok', '0 after a failed rewrite of the append-only file', (info) =>
    isOk(info['aof_last_bgrewrite_status']),
  );
  gauge('inference_redis_aof_bytes', 'Size of the append-only file', (info) => info['aof_current_size']);
}

function parseInfo(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name, value]) => [name, value]));
}
