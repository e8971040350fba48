/** `models rm`: removes a model of the user's, or one version of it, in one step: it is renamed, then deleted. */
import { existsSync } from 'node:fs';
import { lstat, rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { defineCommand } from 'citty';
import { ModelFault } from '../../../models/repository/manifest.ts';
import { findModel, isAtHome, type NamedModel, openRepository } from '../../models/open-repository.ts';
import type { CliCommand, CliContext } from '../command.ts';
import { jsonOption, modelArgument, writeJson } from './options.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm run models -- rm',
      description: 'Remove a model, or one version of it, from the model home; a running system lets go of it.',
    },
    args: { ...modelArgument, ...jsonOption },
    async run({ args, data }) {
      const { env } = data as CliContext;
      const { repository, home } = await openRepository(env);
      const [id = '', version] = String(args.model).split('@');
      const model = findModel(repository, id);
      if (!isAtHome(model, home)) {
        throw new ModelFault(
          `${model.id} is in ${dirname(model.folder)}, not in the model home ${home.home}: it stays.`,
          {
            fix: `npm run models -- unload ${model.id}   (keeps it from being served)`,
          },
        );
      }
      const target = version === undefined ? model.folder : versionFolder(model, version);
      await remove(target, home.home);
      if (args.json) return writeJson({ removed: target });
      process.stdout.write(`removed ${target}\n`);
      return 0;
    },
  }),
  examples: ['npm run models -- rm bert-base-NER-ONNX', 'npm run models -- rm ner@1'],
};

/** Also of a version that is not served, but never the last one that is. */
function versionFolder({ id, folder, versions }: NamedModel, version: string): string {
  const target = join(folder, version);
  if (!/^[1-9][0-9]*$/.test(version) || !existsSync(target)) {
    const served = versions.map((files) => files.version).join(', ') || 'none';
    throw new ModelFault(`${id} has no version folder "${version}"; it serves ${served}.`);
  }
  if (versions.length === 1 && versions[0]?.version === version)
    throw new ModelFault(`${id}@${version} is the only version that serves.`, { fix: `npm run models -- rm ${id}` });
  return target;
}

/** A hidden name first: half a model is never seen. A link goes, what it leads to stays. */
async function remove(target: string, home: string): Promise<void> {
  if ((await lstat(target)).isSymbolicLink()) return await unlink(target);
  const aside = join(home, `.removed-${basename(target)}-${process.pid}`);
  await rename(target, aside);
  await rm(aside, { recursive: true, force: true });
}

export default command;
