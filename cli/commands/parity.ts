/** `npm run parity`: models of true shape, run by PyTorch and by Millrace over HTTP, and compared (e2e/parity/). */
import { join } from 'node:path';
import { defineCommand } from 'citty';
import type { CliCommand, CliContext } from './command.ts';
import { root, runNode } from './run-tool.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: { name: 'npm run parity --', description: 'Compare every architecture, in true shape, with PyTorch.' },
    async run({ data }) {
      const { env, rawArgs } = data as CliContext;
      return await runNode([join(root, 'e2e/parity/main.ts'), ...rawArgs], env);
    },
  }),
  passesArguments: true,
  examples: ['npm run parity', 'npm run parity -- vit-base mobilenet-v2'],
  passesHelp: true,
};

export default command;
