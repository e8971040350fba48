/**
 * How much of the machine is left for the model: items per second through queue, worker and lanes, over the best that
 * raw `session.run` does with a fixed batch and the same preparation, on the same cores in the same run. And CPU per item,
 * which others on the machine move less: of raw over that of worker, lanes and Redis, so that more is better as well.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { keys } from '../../shared/jobs/keys.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { connectProducer, untilReady } from '../../shared/redis/connection.ts';
import { startTestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { laneEnvironment } from '../../workers/lane/lane-environment.ts';
import { cpuSeconds } from '../method/cpu-time.ts';
import { HelperProcess } from '../method/helper-process.ts';
import type { BenchOptions } from '../method/options.ts';
import { measurePairs, ratioOf } from '../method/ratio.ts';
import { type Figure, finish, printTable, round } from '../method/report.ts';
import { QueueLoad, type Work } from './queue-load.ts';
import { findSubjects, type Subject } from './subjects.ts';

const batches = [1, 2, 4, 8, 16, 32];
/** Two shapes of load: single items as live traffic has them, and jobs of sixteen. */
const loads = [
  { name: '1 item a job, 64 jobs at once', jobsAtOnce: 64, itemsPerJob: 1 },
  { name: '16 items a job, 8 jobs at once', jobsAtOnce: 8, itemsPerJob: 16 },
];

interface Block {
  readonly perSecond: number;
  /** Of the processes that did the work, per item. */
  readonly cpuMs: number;
}

class RawLimit {
  readonly #processes: HelperProcess[];

  /** Two 1-thread processes on two cores, in the environment of lanes: as many as there are lanes. */
  constructor({ files, sources }: Subject) {
    const options = JSON.stringify({ files, sources, threads: 1 });
    const env = laneEnvironment({ device: 'cpu', threads: 1 }, {});
    this.#processes = Array.from(
      { length: availableParallelism() },
      () => new HelperProcess(join(import.meta.dirname, 'raw-runner.ts'), [options], env),
    );
  }

  async open(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.next('started')));
  }

  get pids(): readonly number[] {
    return this.#processes.map(({ pid }) => pid);
  }

  async run(batch: number, seconds: number): Promise<Work> {
    const runs = await Promise.all(
      this.#processes.map((process) => process.ask<Work & { type: 'ran' }>({ seconds, batch }, 'ran')),
    );
    return {
      items: runs.reduce((sum, { items }) => sum + items, 0),
      perSecond: runs.reduce((sum, { perSecond }) => sum + perSecond, 0),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
  }
}

export async function benchPipeline({ pairs, seconds, only, keep }: BenchOptions): Promise<void> {
  const figures: Figure[] = [];
  const subjects = (await findSubjects(64)).filter(({ name }) => name.includes(only));
  for (const subject of subjects) figures.push(...(await measureSubject(subject, pairs, seconds)));
  finish('pipeline', figures, {}, keep);
}

async function measureSubject(subject: Subject, pairs: number, seconds: number): Promise<Figure[]> {
  const server = await startTestRedis();
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const producer = connectProducer(server.url, createLogger('bench', 'warn'));
  await untilReady(producer, 5000);
  const load = new QueueLoad(producer, dataDir);
  await load.open();
  const raw = new RawLimit(subject);
  const env = { REDIS_URL: server.url, MILLRACE_DATA: dataDir, MODELS_DIR: subject.modelsDir, LOG_LEVEL: 'silent' };
  const worker = new HelperProcess(join(import.meta.dirname, '../../workers/inference-main.ts'), ['cpu'], env);
  try {
    await raw.open();
    await untilReadyToRun(producer, subject);
    const inputs = await load.storeInputs(subject);
    for (const { jobsAtOnce, itemsPerJob } of loads) await load.run(subject, inputs, jobsAtOnce, itemsPerJob, 3);
    const best = await sweep(raw, subject.name);
    const figures: Figure[] = [];
    for (const { name, jobsAtOnce, itemsPerJob } of loads) {
      const ours = [worker.pid, server.process().pid as number];
      const { a, b } = await measurePairs(
        pairs,
        () => blockOf(ours, () => load.run(subject, inputs, jobsAtOnce, itemsPerJob, seconds)),
        () => blockOf(raw.pids, () => raw.run(best, seconds)),
        (queue, limit, pair) =>
          console.log(`${subject.name}, ${name}, pair ${pair + 1}: queue ${say(queue)}, raw ${say(limit)}`),
      );
      const figure = itemsPerJob === 1 ? `${subject.name} single` : subject.name;
      figures.push(...figuresOf(figure, `raw batches of ${best}; ${name}`, a, b));
    }
    return figures;
  } finally {
    await worker.stop();
    await raw.close();
    await load.close();
    producer.disconnect();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function untilReadyToRun(producer: Redis, { files }: Subject): Promise<void> {
  await waitUntil(
    'the model is ready',
    async () => {
      const states = await producer.hgetall(keys.modelStates);
      return Object.entries(states).some(
        ([field, state]) => field.startsWith(`${files.id}/`) && state.includes('"ready"'),
      );
    },
    60_000,
  );
}

/** More is better in both. */
function figuresOf(name: string, than: string, queue: readonly Block[], raw: readonly Block[]): Figure[] {
  const rates = (blocks: readonly Block[]) => blocks.map(({ perSecond }) => perSecond);
  const cpu = (blocks: readonly Block[]) => blocks.map(({ cpuMs }) => cpuMs);
  const target = '>= 0.9';
  return [
    { name, ratio: ratioOf(rates(queue), rates(raw)), target, meaning: `items/s over ${than}` },
    {
      name: `${name} CPU`,
      ratio: ratioOf(cpu(raw), cpu(queue)),
      target,
      meaning: 'CPU per item of raw over ours, the same',
    },
  ];
}

async function blockOf(pids: readonly number[], run: () => Promise<Work>): Promise<Block> {
  const before = cpuSeconds(pids);
  const { items, perSecond } = await run();
  return { perSecond, cpuMs: ((cpuSeconds(pids) - before) / items) * 1000 };
}

function say({ perSecond, cpuMs }: Block): string {
  return `${perSecond.toFixed(1)}/s with ${round(cpuMs)} ms of CPU each`;
}

/**
 * The best static batch of this model on this machine: the one of least CPU, as each process has a core to itself. Beside
 * others the fastest is the one that they disturbed least.
 */
async function sweep(raw: RawLimit, name: string): Promise<number> {
  const blocks: Block[] = [];
  for (const batch of batches) blocks.push(await blockOf(raw.pids, () => raw.run(batch, 1.5)));
  printTable(
    [`${name}: raw batch`, 'items/s', 'CPU ms/item'],
    batches.map((batch, i) => [String(batch), blocks[i]?.perSecond ?? 0, blocks[i]?.cpuMs ?? 0]),
  );
  const costs = blocks.map(({ cpuMs }) => cpuMs);
  return batches[costs.indexOf(Math.min(...costs))] as number;
}
