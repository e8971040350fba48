/** `models add`: copies a folder in Hub layout into the model home, with a manifest and hashes. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { defineCommand } from 'citty';
import type { Dtype } from '../../../models/repository/dtypes.ts';
import { ModelFault } from '../../../models/repository/manifest.ts';
import { chooseFiles, type ListedFile } from '../../models/choose-files.ts';
import { installModel, suggestNext } from '../../models/install-model.ts';
import { openRepository } from '../../models/open-repository.ts';
import type { CliCommand, CliContext } from '../command.ts';
import { installOptions, jsonOption, writeJson } from './options.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm run models -- add',
      description: 'Copy a folder of yours (config.json, tokenizer.json, onnx/) into the model home.',
    },
    args: {
      folder: { type: 'positional', required: true, description: 'A folder in Hub layout, as optimum-cli exports it.' },
      ...installOptions,
      licence: { type: 'string', description: 'Licence to write into the manifest.' },
      ...jsonOption,
    },
    async run({ args, data }) {
      const { env } = data as CliContext;
      const { home } = await openRepository(env);
      const folder = resolve(String(args.folder));
      const chosen = chooseFiles(folder, await listFolder(folder), args.dtype as Dtype | undefined);
      await mkdir(home.home, { recursive: true });
      const files = await installModel(
        {
          id: args.as ? String(args.as) : basename(folder),
          dtype: chosen.dtype,
          source: folder,
          licence: args.licence ? String(args.licence) : null,
          task: args.task ? String(args.task) : undefined,
          taskHint: undefined,
          version: undefined,
          files: new Map(chosen.files.map(({ file, place }) => [place, join(folder, file.path)])),
        },
        home,
      );
      if (args.json) return writeJson(files);
      process.stdout.write(
        `${files.id}: version ${files.version}, ${files.task}, ${files.dtype}, in ${files.versionFolder}\n${suggestNext(files)}\n`,
      );
      return 0;
    },
  }),
  examples: [
    'npm run models -- add ./bert-ner-onnx --as ner',
    'npm run models -- add ./export --as ner --dtype q8 --licence MIT',
  ],
};

async function listFolder(folder: string): Promise<ListedFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
    throw new ModelFault(`${folder} can not be read: ${(error as Error).message}.`);
  });
  const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  return await Promise.all(
    paths.map(async (path) => ({ path: relative(folder, path), bytes: (await stat(path)).size })),
  );
}

export default command;
