/** Millrace as a user starts it, with everything that watches at its defaults, over HTTP. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startSystem } from '../../e2e/system/running-system.ts';
import { keys } from '../../shared/jobs/keys.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { readCounters, scrape } from '../loops/scrape.ts';
import type { ServerSpec } from '../peers/servers/server.ts';

/** Making the database takes 3 s of CPU behind everybody else. */
const openMs = 120_000;
const scrapeEveryMs = 500;

const roles = ['api', 'worker', 'redis', 'log', 'delivery', 'board', 'lane'] as const;

export const millrace: ServerSpec = {
  name: 'Millrace',
  async start({ files, modelsDir }) {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-models-'));
    symlinkSync(join(modelsDir, files.id), join(folder, files.id));
    const system = await startSystem({ models: [files.id], env: { MODELS_DIR: folder } });
    const redis = new Redis(system.redisUrl, { maxRetriesPerRequest: null });
    let isOpen = false;
    return {
      pids: [system.pid],
      lanePids: () => system.pidsOf('lane'),
      roles: () => new Map([['launcher', [system.pid]], ...roles.map((role) => [role, system.pidsOf(role)] as const)]),
      redisUrl: system.redisUrl,
      async settle() {
        // The first time: the files of the embedded database are made, and what came before is read back from the disk.
        if (!isOpen) await waitUntil('the record of predictions is open', () => isRecordOpen(system.adminUrl), openMs);
        isOpen = true;
        await waitUntil('all is recorded', async () => (await redis.xlen(keys.predictions)) === 0, openMs);
      },
      caller: {
        url: `${system.url}/v1/jobs`,
        headers: { prefer: 'wait=60' },
        body: (items) =>
          JSON.stringify(
            items.length === 1 ? { model: files.id, input: items[0] } : { model: files.id, inputs: items },
          ),
        check(answer) {
          const { status } = JSON.parse(answer) as { status: string };
          if (status !== 'succeeded') throw new Error(`A job of the bench ended as ${status}.`);
        },
        outputOf: (answer) => (JSON.parse(answer) as { output: unknown }).output,
      },
      async stop() {
        redis.disconnect();
        await system.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

async function isRecordOpen(adminUrl: string): Promise<boolean> {
  await sleep(scrapeEveryMs);
  const samples = await scrape(adminUrl);
  const read = (name: string) => readCounters(samples, `inference_prediction_log_${name}`);
  return read('database_up') === 1 && read('spool_bytes') === 0;
}
