/** `models unload`: has the running system let go of a model, until it is loaded again; restarts do not bring it back. */
import { defineCommand } from 'citty';
import { readSettings } from '../../../shared/config/settings.ts';
import { AdminClient } from '../../models/admin-client.ts';
import { untilUnloaded } from '../../models/until-settled.ts';
import type { CliCommand, CliContext } from '../command.ts';
import { jsonOption, modelArgument, waitOption, writeJson } from './options.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm run models -- unload',
      description: 'Take a model out of the running system; its waiting jobs stay queued, new ones are refused.',
    },
    args: { ...modelArgument, ...waitOption, ...jsonOption },
    async run({ args, data }) {
      const { env } = data as CliContext;
      const admin = new AdminClient(readSettings(env));
      const id = String(args.model);
      await admin.unload(id);
      if (!args.wait) return args.json ? writeJson({ id, wish: 'unloaded' }) : say(`${id}: asked to unload`);
      const model = await untilUnloaded(admin, id);
      if (args.json) return writeJson(model);
      const waiting = model.unfinished_jobs > 0 ? `; ${model.unfinished_jobs} jobs wait for it` : '';
      return say(`${id}: unloaded${waiting}. Bring it back: npm run models -- load ${id}`);
    },
  }),
  examples: ['npm run models -- unload ner', 'npm run models -- unload ner --no-wait'],
};

function say(line: string): number {
  process.stdout.write(`${line}\n`);
  return 0;
}

export default command;
