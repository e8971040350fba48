/** What recording adds to Redis per job: its CPU while jobs end, and while their entries are read and forgotten. */
import { Redis } from 'ioredis';
import { mintJobId } from '../../shared/jobs/job-id.ts';
import { keys } from '../../shared/jobs/keys.ts';
import { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { InputMark, InputPolicy } from '../../shared/jobs/store/words.ts';
import { startJob } from '../../shared/testing/claim-job.ts';
import { startTestRedis } from '../../shared/testing/redis.ts';
import { cpuSeconds } from '../method/cpu-time.ts';
import { measurePairs, median, type Ratio, ratioOf } from '../method/ratio.ts';

export interface FinishCost {
  readonly ratio: Ratio;
  readonly plainUs: number;
  readonly recordedUs: number;
  readonly scriptUs: { readonly plain: number; readonly recorded: number };
}

const jobsPerCall = 32;
const entriesPerRead = 500;

export async function measureFinishCost(pairs: number, jobs: number): Promise<FinishCost> {
  const server = await startTestRedis();
  const redis = new Redis(server.url);
  const pid = server.process().pid as number;
  const script = { plain: [] as number[], recorded: [] as number[] };
  const block = async (policy: InputPolicy | undefined) => {
    const store = new JobStore(redis, undefined, policy);
    const ids = await startJobs(redis, store, jobs);
    await redis.config('RESETSTAT');
    const before = cpuSeconds([pid]);
    for (let at = 0; at < jobs; at += jobsPerCall) {
      const some = ids.slice(at, at + jobsPerCall);
      await store.finish(
        some.map((id) => ({ tenant: 'default', id, kind: 'item', status: 'succeeded', index: 0, fragment })),
      );
    }
    const stats = /cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(await redis.info('commandstats'));
    script[policy ? 'recorded' : 'plain'].push(Number(stats?.[1]) / jobs);
    for (let last = '0-0'; policy; ) {
      const reply = await redis.xread('COUNT', entriesPerRead, 'STREAMS', keys.predictions, last);
      const entries = reply?.[0]?.[1].map(([id]) => id) ?? [];
      if (entries.length === 0) break;
      await redis.xdel(keys.predictions, ...entries);
      last = entries.at(-1) as string;
    }
    return ((cpuSeconds([pid]) - before) / jobs) * 1e6;
  };
  await block('hash');
  await block(undefined);
  for (const list of Object.values(script)) list.length = 0;
  const { a, b } = await measurePairs(
    pairs,
    () => block('hash'),
    () => block(undefined),
  );
  redis.disconnect();
  await server.stop();
  return {
    ratio: ratioOf(a, b),
    plainUs: median(b),
    recordedUs: median(a),
    scriptUs: { plain: median(script.plain), recorded: median(script.recorded) },
  };
}

const fragment = JSON.stringify([
  { entity_group: 'TYPE', score: 0.98, word: 'milk', start: 0, end: 4 },
  { entity_group: 'VOLUME', score: 0.97, word: '1l', start: 10, end: 12 },
]);
const mark: InputMark = ['text', 'ab'.repeat(32), 12];

async function startJobs(redis: Redis, store: JobStore, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => mintJobId());
  for (let at = 0; at < count; at += jobsPerCall) {
    const requests = ids.slice(at, at + jobsPerCall).map((id) => ({
      v: 1,
      id,
      tenant: 'default',
      task: 'token-classification',
      model: 'ner',
      priority: 'normal' as const,
      list: false,
      items: 1,
      retentionSeconds: 3600,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    }));
    const options = {
      input: [{ kind: 'text' as const, text: 'milk 3.2% 1l' }],
      marks: [mark],
      queueMax: 1e9,
      tenantMax: 1e9,
    };
    await Promise.all(requests.map((request) => store.admit(request, options)));
    for (const request of requests) await startJob(redis, request);
  }
  return ids;
}
