/**
 * B5: a system that has nothing else to do. From the submission of a lone job to the begin of its run, in durable writes of
 * the same run (a paced SET); beside it bare BullMQ on the same Redis. And what the whole system costs when nobody comes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { millrace } from '../end-to-end/our-server.ts';
import { pacedSetMs } from '../end-to-end/paced-set.ts';
import { textsOf } from '../end-to-end/texts.ts';
import { cpuSeconds } from '../method/cpu-time.ts';
import type { BenchOptions } from '../method/options.ts';
import { median, ratioOf } from '../method/ratio.ts';
import { finish, printTable, round } from '../method/report.ts';
import type { RunningServer } from '../peers/servers/server.ts';
import { findSubject } from '../pipeline/subjects.ts';

const jobsPerBlock = 60;
const paceMs = 25;
const idleMs = 10_000;

export async function benchIdle({ pairs, keep }: BenchOptions): Promise<void> {
  const server = await millrace.start(await findSubject('all-MiniLM-L6-v2'));
  const redisUrl = server.redisUrl as string;
  const bare = new BareQueue(redisUrl);
  const ours: number[] = [];
  const around: number[] = [];
  const theirs: number[] = [];
  const sets: number[] = [];
  try {
    await submitAll(server);
    for (let pair = 0; pair < pairs; pair++) {
      const set = await pacedSetMs(redisUrl);
      const { toStartMs, aroundMs } = await submitAll(server);
      sets.push(set);
      // The script that starts it says when; its own durable write is one more.
      ours.push(median(toStartMs) + set);
      around.push(median(aroundMs));
      theirs.push(median(await bare.submitAll()));
      const figures = [set, ours[pair], around[pair], theirs[pair]].map((value) => round(value as number));
      console.log(
        `block ${pair + 1}: SET ${figures[0]} ms, submit to run ${figures[1]} ms (all but the run ${figures[2]}), bare BullMQ ${figures[3]} ms`,
      );
    }
    await sleep(2000); // What the last jobs left to do.
    const before = cpuSeconds(server.pids);
    await sleep(idleMs);
    const idleShare = (cpuSeconds(server.pids) - before) / (idleMs / 1000);
    printTable(['idle system', 'CPU of one core'], [['all processes', `${(100 * idleShare).toFixed(1)} %`]]);
    const meaning = (who: string) =>
      `p50 from submission to the begin of the run of a lone job, ${who}, in paced durable SETs`;
    finish(
      'B5',
      [
        { name: 'B5', ratio: ratioOf(ours, sets), target: '<= 5', meaning: meaning('Millrace over HTTP') },
        { name: 'B5 all but the run', ratio: ratioOf(around, sets), target: '', meaning: 'the same with the way back' },
        { name: 'B5 bare BullMQ', ratio: ratioOf(theirs, sets), target: '', meaning: meaning('add to processor') },
      ],
      { idle_cpu_cores: round(idleShare) },
      keep,
    );
  } finally {
    await bare.close();
    await server.stop();
  }
}

interface LoneJobs {
  /** From the request to the claim that starts the job, by the job's own record, whose clock is Redis' and counts whole ms. */
  readonly toStartMs: readonly number[];
  /** All that is not the run: the way in, the queue and the way back. */
  readonly aroundMs: readonly number[];
}

async function submitAll({ caller }: RunningServer): Promise<LoneJobs> {
  const text = textsOf('short');
  const toStartMs: number[] = [];
  const aroundMs: number[] = [];
  for (let i = 0; i < jobsPerBlock; i++) {
    const sentAt = performance.now();
    const headers = { 'content-type': 'application/json', ...caller.headers };
    const response = await fetch(caller.url, { method: 'POST', headers, body: caller.body([text(i)]) });
    const { metrics, started_at } = (await response.json()) as LoneJob;
    const ms = performance.now() - sentAt;
    // Sent at any fraction of a ms, so that the median of whole ms is right to a fraction of one.
    toStartMs.push(Date.parse(started_at) + 0.5 - (performance.timeOrigin + sentAt));
    aroundMs.push(ms - 1000 * ((metrics['prepare_seconds'] ?? 0) + (metrics['compute_seconds'] ?? 0)));
    await sleep(paceMs);
  }
  return { toStartMs, aroundMs };
}

interface LoneJob {
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly started_at: string;
}

/** BullMQ alone: from `add` to its processor, in one process. */
class BareQueue {
  readonly #connections: Redis[];
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #events: QueueEvents;
  #started: ((atMs: number) => void) | null = null;

  constructor(url: string) {
    const connect = () => new Redis(url, { maxRetriesPerRequest: null });
    this.#connections = [connect(), connect(), connect()];
    const [one, two, three] = this.#connections as [Redis, Redis, Redis];
    this.#queue = new Queue('bare', { connection: one, prefix: 'bench' });
    const options = { connection: two, prefix: 'bench', removeOnComplete: { count: 0 } };
    this.#worker = new Worker('bare', async () => this.#started?.(performance.now()), options);
    this.#events = new QueueEvents('bare', { connection: three, prefix: 'bench' });
  }

  async submitAll(): Promise<number[]> {
    const ms: number[] = [];
    for (let i = 0; i < jobsPerBlock; i++) {
      const addedAt = performance.now();
      const started = new Promise<number>((resolve) => {
        this.#started = resolve;
      });
      await this.#queue.add('run', { text: 'a short text' });
      ms.push((await started) - addedAt);
      await sleep(paceMs);
    }
    return ms;
  }

  async close(): Promise<void> {
    await Promise.all([this.#worker.close(), this.#events.close()]);
    await this.#queue.obliterate({ force: true }).catch(() => {});
    await this.#queue.close();
    for (const connection of this.#connections) connection.disconnect();
  }
}
