/** `npm run docs`: writes the parts of the documents that are made from code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineCommand } from 'citty';
import { putSettingsTable } from '../docs/settings-table.ts';
import type { CliCommand } from './command.ts';
import { root } from './run-tool.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: { name: 'npm run docs', description: "Write README's table of settings from shared/config/settings.ts." },
    run() {
      const file = join(root, 'README.md');
      const before = readFileSync(file, 'utf8');
      const after = putSettingsTable(before, readFileSync(join(root, 'shared/config/settings.ts'), 'utf8'));
      if (after !== before) writeFileSync(file, after);
      process.stdout.write(after === before ? 'docs: nothing to do\n' : 'docs: README.md written\n');
      return 0;
    },
  }),
  examples: ['npm run docs'],
};

export default command;
