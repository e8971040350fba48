/** `models ps`: what is loaded where, how much memory it took, since when; exit 1 when something can not be loaded. */
import { defineCommand } from 'citty';
import { readSettings } from '../../../shared/config/settings.ts';
import { AdminClient } from '../../models/admin-client.ts';
import { loadErrors, loadedHead, loadedRows } from '../../models/render-loaded.ts';
import { createPaint } from '../../terminal/paint.ts';
import { renderTable } from '../../terminal/table.ts';
import type { CliCommand, CliContext } from '../command.ts';
import { jsonOption, writeJson } from './options.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm run models -- ps',
      description: 'What the running system has loaded: where, memory, since when; exit 1 if a load fails.',
    },
    args: { ...jsonOption },
    async run({ args, data }) {
      const { env } = data as CliContext;
      const models = await new AdminClient(readSettings(env)).list();
      const errors = models.flatMap(loadErrors);
      const code = errors.length > 0 ? 1 : 0;
      if (args.json) return writeJson({ models }, code);
      const paint = createPaint(process.stdout.isTTY === true, env);
      const [head = '', ...lines] = renderTable([loadedHead, ...models.flatMap(loadedRows)]);
      const faults = errors.map((error) => `${paint.red('✖')} ${error}`);
      process.stdout.write(`${[paint.bold(head), ...lines, ...faults].join('\n')}\n`);
      return code;
    },
  }),
  examples: [
    'npm run models -- ps',
    'ADMIN_PORT=8091 MILLRACE_DATA=/tmp/millrace-2 npm run models -- ps',
    'docker compose exec board millrace models ps',
  ],
};

export default command;
