/** What one durable write takes on this machine now: SETs one after the other with a pause between, as lone jobs come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { median } from '../method/ratio.ts';

const writes = 60;
const paceMs = 10;

/** Median ms. The Redis must be durable (`appendfsync always`), else this is a lie. */
export async function pacedSetMs(url: string): Promise<number> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    const ms: number[] = [];
    for (let i = 0; i < writes; i++) {
      const startedAt = performance.now();
      await redis.set('bench:paced', String(i), 'PX', 60_000);
      ms.push(performance.now() - startedAt);
      await sleep(paceMs);
    }
    return median(ms);
  } finally {
    redis.disconnect();
  }
}
