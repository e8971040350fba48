/** Millrace as a user starts it, with everything that watches at its defaults, as a server of vectors. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSystem } from '../../e2e/system/running-system.ts';
import type { ServerSpec } from '../peers/servers/server.ts';

const roles = ['api', 'worker', 'redis', 'log', 'delivery', 'board', 'lane'] as const;

export const millrace: ServerSpec = {
  name: 'Millrace',
  async start({ files, modelsDir }) {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-models-'));
    symlinkSync(join(modelsDir, files.id), join(folder, files.id));
    const system = await startSystem({ models: [files.id], env: { MODELS_DIR: folder } });
    return {
      pids: [system.pid],
      lanePids: () => system.pidsOf('lane'),
      roles: () => new Map([['launcher', [system.pid]], ...roles.map((role) => [role, system.pidsOf(role)] as const)]),
      redisUrl: system.redisUrl,
      caller: {
        url: `${system.url}/v1/jobs`,
        headers: { prefer: 'wait=60' },
        body: (texts) =>
          JSON.stringify(
            texts.length === 1 ? { model: files.id, input: texts[0] } : { model: files.id, inputs: texts },
          ),
        check(answer) {
          const { status } = JSON.parse(answer) as { status: string };
          if (status !== 'succeeded') throw new Error(`A job of the bench ended as ${status}.`);
        },
      },
      async stop() {
        await system.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};
