/**
 * What watching costs: items per second of a whole system over HTTP with everything on (traces at the default sampling
 * into a collector, the record of predictions, a scrape of all metrics) over the same system with what can be turned off
 * turned off; and CPU of all processes per item, counted until the last prediction is recorded. Real MiniLM, texts of about
 * 64 tokens.
 */
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type RunningSystem, startSystem } from '../../e2e/system/running-system.ts';
import { keys } from '../../shared/jobs/keys.ts';
import { assetsFolder } from '../../shared/testing/assets.ts';
import { scrape } from '../loops/scrape.ts';
import { cpuSeconds } from '../method/cpu-time.ts';
import { HelperProcess } from '../method/helper-process.ts';
import type { BenchOptions } from '../method/options.ts';
import { measurePairs, median, ratioOf } from '../method/ratio.ts';
import { finish, printTable, round } from '../method/report.ts';
import { closedLoop } from './closed-loop.ts';

const model = 'all-MiniLM-L6-v2';
/** As often as a small installation scrapes. */
const scrapeEveryMs = 5000;

interface Subject {
  readonly system: RunningSystem;
  readonly redis: Redis;
}

interface Block {
  readonly itemsPerSecond: number;
  readonly cpuMsPerItem: number;
}

export async function benchWatching({ pairs, seconds, keep }: BenchOptions): Promise<void> {
  const source = join(assetsFolder(), 'models', model);
  if (!existsSync(source)) throw new Error(`The watching bench needs a real model: ${source} is absent.`);
  const modelsDir = mkdtempSync(join(tmpdir(), 'millrace-models-'));
  symlinkSync(source, join(modelsDir, model));
  const sink = new HelperProcess(join(import.meta.dirname, '../tracing/sink.ts'));
  const { port } = await sink.next<{ type: 'ready'; port: number }>('ready');
  const start = async (env: Readonly<Record<string, string>>): Promise<Subject> => {
    const system = await startSystem({ models: [model], env: { MODELS_DIR: modelsDir, ...env } });
    return { system, redis: new Redis(system.redisUrl, { maxRetriesPerRequest: null }) };
  };
  const watched = await start({
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  });
  const plain = await start({ OTEL_TRACES_EXPORTER: 'none', MILLRACE_PREDICTIONS: 'off' });
  try {
    const runWatched = () => block(watched, seconds, true);
    const runPlain = () => block(plain, seconds, false);
    await runWatched();
    await runPlain();
    const { a, b } = await measurePairs(pairs, runWatched, runPlain, (x, y, pair) =>
      console.log(
        `pair ${pair + 1}: watched ${round(x.itemsPerSecond)}/s, plain ${round(y.itemsPerSecond)}/s, ratio ${round(x.itemsPerSecond / y.itemsPerSecond)}`,
      ),
    );
    const row = (name: string, blocks: readonly Block[]) => [
      name,
      median(blocks.map(({ itemsPerSecond }) => itemsPerSecond)),
      median(blocks.map(({ cpuMsPerItem }) => cpuMsPerItem)),
    ];
    printTable(['system', 'items/s', 'CPU ms/item'], [row('everything on', a), row('off', b)]);
    const ratio = (pick: (one: Block) => number) => ratioOf(a.map(pick), b.map(pick));
    finish(
      'watching',
      [
        {
          name: 'watching',
          ratio: ratio(({ itemsPerSecond }) => itemsPerSecond),
          target: '>= 0.97',
          meaning: 'items/s with traces (10 %), record and scrapes, over without',
        },
        {
          name: 'watching cpu',
          ratio: ratio(({ cpuMsPerItem }) => cpuMsPerItem),
          target: '<= 1.03',
          meaning: 'CPU of all processes per item, the same',
        },
      ],
      {},
      keep,
    );
  } finally {
    for (const { system, redis } of [watched, plain]) {
      redis.disconnect();
      await system.stop();
    }
    await sink.stop();
    rmSync(modelsDir, { recursive: true, force: true });
  }
}

async function block({ system, redis }: Subject, seconds: number, isWatched: boolean): Promise<Block> {
  const scraping = isWatched
    ? setInterval(() => void scrape(system.adminUrl).catch(() => {}), scrapeEveryMs)
    : undefined;
  const cpuBefore = cpuSeconds([system.pid]);
  const startedAt = performance.now();
  const items = await closedLoop(system.url, model, seconds);
  const wallMs = performance.now() - startedAt;
  // An entry leaves the stream when its rows are committed: half a second later at most, which is lag and not throughput.
  // What the last ones cost is in the CPU.
  while (isWatched && (await redis.xlen(keys.predictions)) > 0) await sleep(10);
  clearInterval(scraping);
  return {
    itemsPerSecond: (items / wallMs) * 1000,
    cpuMsPerItem: ((cpuSeconds([system.pid]) - cpuBefore) / items) * 1000,
  };
}
