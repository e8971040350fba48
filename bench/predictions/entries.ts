/** Entries of the stream of predictions as `finish.lua` writes them, made fast: the jobs behind them never ran. */
import type { Redis } from 'ioredis';
import { mintJobId } from '../../shared/jobs/job-id.ts';
import { keys } from '../../shared/jobs/keys.ts';

const labels = ['BRAND', 'TYPE', 'VOLUME', 'PERCENT', 'none'];
const entriesPerPipeline = 200;

export async function addEntries(redis: Redis, count: number): Promise<void> {
  for (let done = 0; done < count; done += entriesPerPipeline) {
    const pipeline = redis.pipeline();
    for (let n = done; n < Math.min(count, done + entriesPerPipeline); n++) {
      const id = mintJobId();
      const mark = JSON.stringify([['text', id.padEnd(64, '0').slice(0, 64), 28]]);
      pipeline.xadd(keys.predictions, '*', 't', 'default', 'i', id, 'd', documentOf(id, n), 'im', mark);
    }
    await pipeline.exec();
  }
}

/** About 900 bytes: a short text with four spans. */
function documentOf(id: string, n: number): string {
  const now = Date.now();
  const request = {
    v: 1,
    id,
    tenant: 'default',
    task: 'token-classification',
    model: `ner-${n % 3}`,
    priority: 'normal',
    list: false,
    items: 1,
    retentionSeconds: 3600,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  };
  const spans = Array.from({ length: 4 }, (_, k) => ({
    entity_group: labels[(n + k) % 4],
    score: ((n * 7 + k * 13) % 1000) / 1000,
    word: 'some words',
    start: k * 7,
    end: k * 7 + 6,
  }));
  return JSON.stringify({
    v: 1,
    req: request,
    c: now - 50,
    st: now - 30,
    f: now,
    s: 'succeeded',
    a: 1,
    mv: '1',
    seq: 3,
    ev: `1 queued ${now - 50};2 processing ${now - 30};3 succeeded ${now}`,
    m: [0.0012, 0.0034, 4],
    n: [1, 0],
    out: spans,
    err: null,
  });
}
