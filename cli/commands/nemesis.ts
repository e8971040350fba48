/** `npm run nemesis`: kills processes under load and holds the store against what was promised (e2e/nemesis/). */
import { join } from 'node:path';
import { defineCommand } from 'citty';
import type { CliCommand, CliContext } from './command.ts';
import { root, runNode } from './run-tool.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm run nemesis --',
      description: 'Kill processes under load; check that no acknowledged job is lost.',
    },
    async run({ data }) {
      const { env, rawArgs } = data as CliContext;
      return await runNode([join(root, 'e2e/nemesis/main.ts'), ...rawArgs], env);
    },
  }),
  passesArguments: true,
  examples: ['npm run nemesis', 'npm run nemesis -- --jobs 1000 --kills 6 --targets lane --seed 7'],
  passesHelp: true,
};

export default command;
