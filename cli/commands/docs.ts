/** `npm run docs`: writes the parts of the documents that are made from code. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineCommand } from 'citty';
import { dashboardsFolder, renderDashboards } from '../docs/dashboards/write-dashboards.ts';
import { putSettingsTable } from '../docs/settings-table.ts';
import type { CliCommand } from './command.ts';
import { root } from './run-tool.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: { name: 'npm run docs', description: "Write README's table of settings, and Grafana's dashboards." },
    run() {
      const readme = readFileSync(join(root, 'README.md'), 'utf8');
      const settings = readFileSync(join(root, 'shared/config/settings.ts'), 'utf8');
      const wanted = [['README.md', putSettingsTable(readme, settings)], ...dashboardFiles()] as const;
      const written = wanted.filter(([file, text]) => writeIfChanged(join(root, file), text)).map(([file]) => file);
      process.stdout.write(written.length === 0 ? 'docs: nothing to do\n' : `docs: ${written.join(', ')} written\n`);
      return 0;
    },
  }),
  examples: ['npm run docs'],
};

function dashboardFiles(): (readonly [file: string, text: string])[] {
  return [...renderDashboards()].map(([name, text]) => [join(dashboardsFolder, name), text] as const);
}

function writeIfChanged(file: string, text: string): boolean {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return false;
  writeFileSync(file, text);
  return true;
}

export default command;
