/** `models add`: a folder in Hub layout is copied into the model home; of a server elsewhere a manifest is written there. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { defineCommand } from 'citty';
import type { Dtype } from '../../../models/repository/dtypes.ts';
import { ModelFault } from '../../../models/repository/manifest.ts';
import type { ModelFiles } from '../../../models/repository/model-files.ts';
import { addUpstream } from '../../models/add-upstream.ts';
import { chooseFiles, type ListedFile } from '../../models/choose-files.ts';
import { installModel, type ModelHome, suggestNext } from '../../models/install-model.ts';
import { openRepository } from '../../models/open-repository.ts';
import type { CliCommand, CliContext } from '../command.ts';
import { installOptions, jsonOption, writeJson } from './options.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm run models -- add',
      description: 'Copy a folder of yours (config.json, tokenizer.json, onnx/) into the model home, or name a server.',
    },
    args: {
      folder: {
        type: 'positional',
        required: false,
        description: 'A folder in Hub layout, as optimum-cli exports it.',
      },
      upstream: {
        type: 'string',
        description: 'Instead: base URL of a server of chat completions that runs the model.',
      },
      model: { type: 'string', description: 'Its name at that server.' },
      'api-key-env': { type: 'string', description: 'Variable that holds the key of that server.' },
      'max-concurrency': { type: 'string', description: 'Calls of that server under way at once; 4 when absent.' },
      ...installOptions,
      licence: { type: 'string', description: 'Licence to write into the manifest.' },
      ...jsonOption,
    },
    async run({ args, data }) {
      const { env } = data as CliContext;
      const { home } = await openRepository(env);
      const files = await (args.upstream === undefined ? addFolder(args, home) : addServer(args, home));
      if (args.json) return writeJson(files);
      const what = files.upstream ? `${files.upstream.model} at ${files.upstream.url}` : files.dtype;
      process.stdout.write(
        `${files.id}: version ${files.version}, ${files.task}, ${what}, in ${files.versionFolder}\n${suggestNext(files)}\n`,
      );
      return 0;
    },
  }),
  examples: [
    'npm run models -- add ./bert-ner-onnx --as ner',
    'npm run models -- add ./export --as ner --dtype q8 --licence MIT',
    'npm run models -- add --upstream http://vllm:8000/v1 --model Qwen/Qwen3-VL-8B-Instruct --as vlm',
  ],
};

type Arguments = Readonly<Record<string, unknown>>;

const textOf = (value: unknown) => (value ? String(value) : undefined);

async function addFolder(args: Arguments, home: ModelHome): Promise<ModelFiles> {
  if (args['folder'] === undefined)
    throw new ModelFault('Name a folder, or a server: --upstream <url> --model <name>.', {
      fix: 'npm run models -- add --help',
    });
  const folder = resolve(String(args['folder']));
  const chosen = chooseFiles(folder, await listFolder(folder), args['dtype'] as Dtype | undefined);
  await mkdir(home.home, { recursive: true });
  return await installModel(
    {
      id: textOf(args['as']) ?? basename(folder),
      dtype: chosen.dtype,
      source: folder,
      licence: textOf(args['licence']) ?? null,
      task: textOf(args['task']),
      taskHint: undefined,
      version: undefined,
      files: new Map(chosen.files.map(({ file, place }) => [place, join(folder, file.path)])),
    },
    home,
  );
}

async function addServer(args: Arguments, home: ModelHome): Promise<ModelFiles> {
  const model = textOf(args['model']);
  if (model === undefined || args['folder'] !== undefined || args['dtype'] !== undefined)
    throw new ModelFault('With --upstream, --model names the model there; a folder or dtype belongs to files.');
  const concurrency = textOf(args['max-concurrency']);
  return await addUpstream(
    {
      url: String(args['upstream']),
      model,
      id: textOf(args['as']),
      task: textOf(args['task']),
      licence: textOf(args['licence']) ?? null,
      apiKeyEnv: textOf(args['api-key-env']),
      maxConcurrency: concurrency === undefined ? undefined : Number(concurrency),
    },
    home,
  );
}

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
