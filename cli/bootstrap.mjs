#!/usr/bin/env node
/**
 * First thing that runs, on whatever Node npm brought (18 or later), before any package is there. Installs what is
 * missing (npm packages, redis-server, ffmpeg), then hands over to `main.ts` on Node 24. The one place outside
 * `shared/config` that reads process.env: the rest of `cli/` gets it as an argument.
 */
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { continueOnNode24 } from './setup/node-24.mjs';
import { ensureNpmPackages } from './setup/npm-packages.mjs';
import { ensurePythonPackages } from './setup/python-packages.mjs';
import { SetupError } from './setup/setup-error.mjs';
import { ensureSystemPackages } from './setup/system-packages.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** Commands that run the system, and so need more than npm packages. */
const runsSystem = new Set(['demo', 'start', 'test', 'bench', 'nemesis']);

async function main() {
  const args = process.argv.slice(2);
  const [command = ''] = args;
  const env = process.env;
  const isSetUp = env.MILLRACE_SET_UP === '1';
  keepCompiledCode(env);
  // citty colours its help whatever it writes to.
  if (args.some((word) => word === '--help' || word === '-h') && !process.stdout.isTTY) env.NO_COLOR ??= '1';
  delete env.MILLRACE_SET_UP;
  if (!isSetUp) {
    await ensureNpmPackages(root, env);
    if (runsSystem.has(command) && !args.includes('--help') && !args.includes('-h')) {
      await ensureSystemPackages(command, root, env);
      if (command === 'test') await ensurePythonPackages(root, env);
    }
  }
  if (Number(process.versions.node.split('.')[0]) < 24) {
    process.exitCode = await continueOnNode24(root, args, { ...env, MILLRACE_SET_UP: '1' });
    return;
  }
  if (!existsSync(resolve(root, 'cli/main.ts')))
    throw new SetupError('cli/main.ts is missing: the checkout is not complete.');
  const { runCli } = await import('./main.ts');
  process.exitCode = await runCli(args, env, { watchesParent: isSetUp || Boolean(env.npm_lifecycle_event) });
}

/**
 * Every process that starts from here keeps what Node compiled (and the types it stripped): with it the demo's first
 * result came 4.0 to 5.1 s after the start instead of 6.1 to 8.9 s on two busy cores. `npm ci` clears it.
 */
function keepCompiledCode(env) {
  env.NODE_COMPILE_CACHE ??= resolve(root, 'node_modules/.cache/compiled');
  module.enableCompileCache?.(env.NODE_COMPILE_CACHE);
}

main().catch((error) => {
  process.stderr.write(`\n${error instanceof SetupError ? error.message : error.stack}\n`);
  process.exitCode = 1;
});
