/**
 * How much of the machine is left for the model: items per second through queue, worker and lanes, over the best that
 * raw `session.run` does with a fixed batch and the same preparation, on the same cores in the same run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { keys } from '../../shared/jobs/keys.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { connectProducer, untilReady } from '../../shared/redis/connection.ts';
import { startTestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { HelperProcess } from '../method/helper-process.ts';
import type { BenchOptions } from '../method/options.ts';
import { measurePairs, ratioOf } from '../method/ratio.ts';
import { type Figure, finish, printTable, round } from '../method/report.ts';
import { QueueLoad } from './queue-load.ts';
import { findSubjects, type Subject } from './subjects.ts';

const batches = [1, 2, 4, 8, 16, 32];
/** Two shapes of load: single items as live traffic has them, and jobs of sixteen. */
const loads = [
  { name: '1 item a job, 64 jobs at once', jobsAtOnce: 64, itemsPerJob: 1 },
  { name: '16 items a job, 8 jobs at once', jobsAtOnce: 8, itemsPerJob: 16 },
];

class RawLimit {
  readonly #processes: HelperProcess[];

  /** Two 1-thread processes on two cores: as many as there are lanes. */
  constructor({ files, sources }: Subject) {
    const options = JSON.stringify({ files, sources, threads: 1 });
    this.#processes = Array.from(
      { length: availableParallelism() },
      () => new HelperProcess(join(import.meta.dirname, 'raw-runner.ts'), [options]),
    );
  }

  async open(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.next('started')));
  }

  async run(batch: number, seconds: number): Promise<number> {
    const runs = await Promise.all(
      this.#processes.map((process) => process.ask<{ type: 'ran'; perSecond: number }>({ seconds, batch }, 'ran')),
    );
    return runs.reduce((sum, { perSecond }) => sum + perSecond, 0);
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
    await waitUntil(
      'the model is ready',
      async () => {
        const states = await producer.hgetall(keys.modelStates);
        return Object.entries(states).some(
          ([field, state]) => field.startsWith(`${subject.files.id}/`) && state.includes('"ready"'),
        );
      },
      60_000,
    );
    const inputs = await load.storeInputs(subject);
    for (const { jobsAtOnce, itemsPerJob } of loads) await load.run(subject, inputs, jobsAtOnce, itemsPerJob, 3);
    const best = await sweep(raw, subject.name);
    const figures: Figure[] = [];
    for (const { name, jobsAtOnce, itemsPerJob } of loads) {
      const runOurs = async () => await load.run(subject, inputs, jobsAtOnce, itemsPerJob, seconds);
      const { a, b } = await measurePairs(
        pairs,
        runOurs,
        async () => await raw.run(best, seconds),
        (x, y, pair) =>
          console.log(
            `${subject.name}, ${name}, pair ${pair + 1}: queue ${x.toFixed(1)}/s, raw ${y.toFixed(1)}/s, ratio ${round(x / y)}`,
          ),
      );
      const figure = itemsPerJob === 1 ? `${subject.name} single` : subject.name;
      figures.push({
        name: figure,
        ratio: ratioOf(a, b),
        target: '>= 0.9',
        meaning: `items/s over raw batches of ${best}; ${name}`,
      });
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

/** The best static batch of this model on this machine now. */
async function sweep(raw: RawLimit, name: string): Promise<number> {
  const rates: number[] = [];
  for (const batch of batches) rates.push(await raw.run(batch, 1.5));
  printTable(
    [`${name}: raw batch`, 'items/s'],
    batches.map((batch, i) => [String(batch), rates[i] as number]),
  );
  return batches[rates.indexOf(Math.max(...rates))] as number;
}
