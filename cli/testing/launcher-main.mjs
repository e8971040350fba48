/** Runs `serve` around fake processes: what the launcher's tests start, signal and kill. Needs FAKE_DIR. */
import { join } from 'node:path';
import { serve, untilAborted } from '../commands/serve.ts';

const dir = process.env.FAKE_DIR;
const entries = ['delivery', 'workers', 'api'].map((role) => ({ role, file: join(dir, `fake-${role}.mjs`) }));

process.exitCode = await serve({
  env: process.env,
  watchesParent: process.env.FAKE_WATCH === '1',
  view: process.env.FAKE_VIEW ?? 'json',
  entries,
  async use({ system, signal }) {
    for (const { role } of entries) await system.untilReady(role, signal);
    process.stdout.write(`${JSON.stringify({ pids: system.pids, admin: system.adminUrl })}\n`);
    await untilAborted(signal);
    return 0;
  },
});
