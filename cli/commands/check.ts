/** `npm run check`: types, style and imports. Every tool runs even when one before it failed. */
import { join } from 'node:path';
import { defineCommand } from 'citty';
import type { CliCommand, CliContext } from './command.ts';
import { root, runNode } from './run-tool.ts';

const bin = (name: string) => join(root, 'node_modules/.bin', name);
const rooms = ['shared', 'models', 'api', 'workers', 'cli', 'bench', 'e2e'];

const tools: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['types', [bin('tsc'), '--noEmit', '-p', root]],
  ['style', [bin('biome'), 'ci', '--error-on-warnings', ...(process.stdout.isTTY ? [] : ['--colors=off']), root]],
  ['imports', [bin('depcruise'), '--config', join(root, '.dependency-cruiser.cjs'), ...rooms]],
];

const command: CliCommand = {
  definition: defineCommand({
    meta: { name: 'npm run check', description: 'Check types, style and which room imports what.' },
    async run({ data }) {
      const { env } = data as CliContext;
      const failed: string[] = [];
      for (const [name, args] of tools) {
        process.stdout.write(`check: ${name}\n`);
        if ((await runNode(args, env)) !== 0) failed.push(name);
      }
      process.stdout.write(failed.length === 0 ? 'check: all right\n' : `check: ${failed.join(', ')} failed\n`);
      return failed.length === 0 ? 0 : 1;
    },
  }),
  examples: ['npm run check'],
};

export default command;
