/**
 * What a job costs on its way: CPU of producer, Redis and worker per no-op job through Millrace's whole worker path, over
 * plain BullMQ's on the same durable Redis in the same run. Both keep the result for an hour, and both have priorities.
 * Also the bytes that a finished job leaves in Redis.
 */
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { mintJobId } from '../../shared/jobs/job-id.ts';
import { keys } from '../../shared/jobs/keys.ts';
import { JobStore } from '../../shared/jobs/store/job-store.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { connectProducer, untilReady } from '../../shared/redis/connection.ts';
import { startTestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { cpuSeconds } from '../method/cpu-time.ts';
import { HelperProcess } from '../method/helper-process.ts';
import type { BenchOptions } from '../method/options.ts';
import { measurePairs, ratioOf } from '../method/ratio.ts';
import { finish, printTable } from '../method/report.ts';

/** Requests that an API process has under way at once. */
const producersAtOnce = 64;

interface Block {
  readonly cpuUs: number;
  readonly perSecond: number;
}

export async function benchQueue({ pairs, seconds, keep }: BenchOptions): Promise<void> {
  const jobs = Math.round(seconds * 1500);
  const server = await startTestRedis();
  const logger = createLogger('bench', 'warn');
  const producer = connectProducer(server.url, logger);
  await untilReady(producer, 5000);
  const store = new JobStore(producer);
  const plainConnection = new Redis(server.url, { maxRetriesPerRequest: null });
  const plain = new Queue('plain', { connection: plainConnection });
  // Plain BullMQ records nothing either; `bench -- predictions` has what recording adds.
  const env = { REDIS_URL: server.url, LOG_LEVEL: 'warn', MILLRACE_LANES: '2', MILLRACE_PREDICTIONS: 'off' };
  const ours = new HelperProcess(join(import.meta.dirname, 'noop-worker.ts'), [], env);
  const peer = new HelperProcess(join(import.meta.dirname, 'plain-worker.ts'), [
    JSON.stringify({ url: server.url, concurrency: producersAtOnce }),
  ]);
  await Promise.all([ours.next('started'), peer.next('started')]);
  const redisPid = server.process().pid as number;

  const block = async (
    worker: HelperProcess,
    submit: (index: number) => Promise<void>,
    isDone: () => Promise<boolean>,
  ): Promise<Block> => {
    const pids = [process.pid, redisPid];
    // The bench process is the parent of both workers: count it alone, and the one worker with its lanes.
    const used = () => cpuSeconds(pids) - cpuSeconds([ours.pid]) - cpuSeconds([peer.pid]) + cpuSeconds([worker.pid]);
    const startedAt = performance.now();
    const before = used();
    let next = 0;
    const producing = async () => {
      while (next < jobs) await submit(next++);
    };
    await Promise.all(Array.from({ length: producersAtOnce }, producing));
    await waitUntil('all jobs are done', isDone, 300_000);
    const wallMs = performance.now() - startedAt;
    return { cpuUs: ((used() - before) / jobs) * 1e6, perSecond: (jobs / wallMs) * 1000 };
  };

  const runOurs = () =>
    block(
      ours,
      async () => {
        const id = mintJobId();
        const request = {
          v: 1,
          id,
          tenant: 'default',
          task: 'feature-extraction',
          model: 'noop',
          priority: 'normal',
          list: false,
          items: 1,
          retentionSeconds: 3600,
        } as const;
        await store.admit(request, {
          input: [{ kind: 'text', text: 'a short text to embed' }],
          queueMax: 1e9,
          tenantMax: 1e9,
        });
      },
      async () => (await store.liveCount('noop', 'normal')) === 0,
    );
  const runPlain = () =>
    block(
      peer,
      async () => {
        await plain.add('run', { text: 'a short text to embed' }, { removeOnComplete: { age: 3600 }, priority: 1 });
      },
      async () => (await plain.getJobCountByTypes('wait', 'prioritized', 'active')) === 0,
    );

  console.log(`${jobs} jobs a block, ${pairs} pairs of blocks, Redis with appendfsync always`);
  await runOurs();
  await runPlain();
  const bytes = await bytesPerFinished(producer, runOurs, jobs);
  const { a, b } = await measurePairs(pairs, runOurs, runPlain, (x, y, pair) =>
    console.log(`pair ${pair + 1}: Millrace ${x.cpuUs.toFixed(0)} us/job, plain BullMQ ${y.cpuUs.toFixed(0)} us/job`),
  );
  console.log('');
  printTable(
    ['path', 'CPU us/job', 'jobs/s'],
    [
      ['Millrace', middle(a, 'cpuUs'), middle(a, 'perSecond')],
      ['plain BullMQ', middle(b, 'cpuUs'), middle(b, 'perSecond')],
    ],
  );
  console.log(`Redis bytes per finished job: ${bytes.toFixed(0)}`);
  await Promise.all([ours.stop(), peer.stop()]);
  await plain.close();
  producer.disconnect();
  plainConnection.disconnect();
  await server.stop();
  const ratio = ratioOf(
    a.map(({ cpuUs }) => cpuUs),
    b.map(({ cpuUs }) => cpuUs),
  );
  finish(
    'B4',
    [{ name: 'B4', ratio, target: '<= 1.3', meaning: 'CPU per no-op job over plain BullMQ' }],
    { bytes_per_finished_job: Math.round(bytes) },
    keep,
  );
}

/** Memory that a block of finished jobs leaves behind. BullMQ's own streams and the allocator have settled by then. */
async function bytesPerFinished(redis: Redis, run: () => Promise<unknown>, jobs: number): Promise<number> {
  const used = async () =>
    Number(/used_memory_dataset:(\d+)/.exec(await redis.info('memory'))?.[1]) +
    Number(/used_memory_overhead:(\d+)/.exec(await redis.info('memory'))?.[1]);
  const before = await used();
  const index = await redis.zcard(keys.index('default'));
  await run();
  return ((await used()) - before) / Math.max(jobs, (await redis.zcard(keys.index('default'))) - index);
}

function middle(blocks: readonly Block[], name: keyof Block): number {
  return blocks.map((block) => block[name]).toSorted((x, y) => x - y)[Math.floor(blocks.length / 2)] ?? 0;
}
