/** `models load`: has a running system take a model in, now: one that was unloaded, failed, or has just been put there. */
import { defineCommand } from 'citty';
import { AdminClient } from '../../models/admin-client.ts';
import { findModel, openRepository } from '../../models/open-repository.ts';
import { untilLoaded } from '../../models/until-settled.ts';
import type { CliCommand, CliContext } from '../command.ts';
import { jsonOption, modelArgument, waitOption, writeJson } from './options.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm run models -- load',
      description: 'Load a model into the running system and wait until it is ready; exit 1 with the load error.',
    },
    args: { ...modelArgument, ...waitOption, ...jsonOption },
    async run({ args, data }) {
      const { env } = data as CliContext;
      const { repository, settings } = await openRepository(env);
      const admin = new AdminClient(settings);
      const known = (await admin.list()).map((model) => model.id);
      const wished = String(args.model);
      // A system in containers has folders of its own: what it knows needs none here.
      const id = known.includes(wished) ? wished : findModel(repository, wished).id;
      await admin.load(id);
      if (!args.wait) return args.json ? writeJson({ id, wish: 'loaded' }) : say(`${id}: asked to load`, 0);
      const model = await untilLoaded(admin, id);
      const isWell = model.status === 'ready' && model.error === null;
      if (args.json) return writeJson(model, isWell ? 0 : 1);
      const versions = [...new Set(model.workers.map(({ version }) => version))].join(', ');
      return say(
        isWell ? `${id}: ready, version ${versions}` : `${id}: ${model.status}: ${model.error ?? 'no error yet'}`,
        isWell ? 0 : 1,
      );
    },
  }),
  examples: ['npm run models -- load ner', 'npm run models -- load ner --no-wait', 'npm run models -- load ner --json'],
};

function say(line: string, code: number): number {
  (code === 0 ? process.stdout : process.stderr).write(`${line}\n`);
  return code;
}

export default command;
