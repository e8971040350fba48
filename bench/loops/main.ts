/**
 * Whether the event loops of API and worker stay free while the lanes are saturated: a minute of mixed load over HTTP, and
 * the 99.9th percentile of their delay as their own histograms saw it, over the 50 ms that is promised.
 */
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSystem } from '../../e2e/system/running-system.ts';
import { assetsFolder } from '../../shared/testing/assets.ts';
import type { BenchOptions } from '../method/options.ts';
import { ratioOf } from '../method/ratio.ts';
import { finish, printTable, round } from '../method/report.ts';
import { mixedLoad } from './mixed-load.ts';
import { delayQuantile, readCounters, scrape } from './scrape.ts';

const limitSeconds = 0.05;
const windows = 3;
const clients = 48;
const extraModels = ['all-MiniLM-L6-v2', 'imagenet/mobilenet_v2_1.0_224'];

export async function benchLoops({ pairs, seconds, keep }: BenchOptions): Promise<void> {
  const windowSeconds = (pairs * seconds * 2) / windows;
  const modelsDir = mkdtempSync(join(tmpdir(), 'millrace-models-'));
  const models = ['starter-ner-groceries', 'starter-asr-digits'];
  for (const path of extraModels) {
    const id = path.split('/').at(-1) as string;
    const source = join(assetsFolder(), 'models', path);
    if (!existsSync(source)) continue;
    symlinkSync(source, join(modelsDir, id));
    models.push(id);
  }
  const system = await startSystem({ models, env: { MODELS_DIR: modelsDir } });
  const stop = new AbortController();
  const load = mixedLoad(system.url, models, clients, stop.signal);
  try {
    await sleep(5000); // Start-up has its own long turns: what is promised is the running system.
    const rows: (string | number)[][] = [];
    const p999: Record<'api' | 'worker', number[]> = { api: [], worker: [] };
    let before = await scrape(system.adminUrl);
    for (let window = 1; window <= windows; window++) {
      await sleep(windowSeconds * 1000);
      const after = await scrape(system.adminUrl);
      for (const role of ['api', 'worker'] as const) p999[role].push(delayQuantile(before, after, role, 0.999));
      const busy =
        readCounters(after, 'inference_lane_busy_seconds_total') -
        readCounters(before, 'inference_lane_busy_seconds_total');
      const items = readCounters(after, 'inference_items_total') - readCounters(before, 'inference_items_total');
      rows.push([
        `${window}`,
        items / windowSeconds,
        busy / windowSeconds,
        ms(p999.api.at(-1)),
        ms(p999.worker.at(-1)),
      ]);
      before = after;
    }
    printTable(['window', 'items/s', 'busy lanes', 'API p99.9 ms', 'worker p99.9 ms'], rows);
    const figures = (['api', 'worker'] as const).map((role) => ({
      name: `loops ${role}`,
      ratio: ratioOf(
        p999[role],
        p999[role].map(() => limitSeconds),
      ),
      target: '<= 1',
      meaning: `p99.9 of the ${role}'s loop delay over 50 ms, ${windows} windows of ${round(windowSeconds)} s`,
    }));
    finish('loops', figures, { models: models.length }, keep);
  } finally {
    stop.abort();
    await load;
    await system.stop();
    rmSync(modelsDir, { recursive: true, force: true });
  }
}

function ms(seconds = 0): number {
  return round(seconds * 1000);
}
