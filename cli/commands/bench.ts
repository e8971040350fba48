/** `npm run bench -- <name>`: one of the benchmarks in bench/, which prints a table and one last line of JSON. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineCommand } from 'citty';
import type { CliCommand, CliContext } from './command.ts';
import { root, runNode } from './run-tool.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: { name: 'npm run bench --', description: 'Run a benchmark by name; without a name, list them.' },
    async run({ data }) {
      const { env, rawArgs } = data as CliContext;
      const main = join(root, 'bench/main.ts');
      if (!existsSync(main)) throw new Error('bench/main.ts is missing: the checkout is not complete.');
      return await runNode([main, ...rawArgs], env);
    },
  }),
  passesArguments: true,
  examples: ['npm run bench', 'npm run bench -- B4', 'npm run bench -- pipeline'],
  passesHelp: true,
};

export default command;
