/** `models pull`: fetches a model from the Hugging Face Hub or an MLflow registry into the model home. */
import { mkdir } from 'node:fs/promises';
import { defineCommand } from 'citty';
import type { Dtype } from '../../../models/repository/dtypes.ts';
import { readHubSettings } from '../../models/hub/hub-settings.ts';
import { pullFromHub } from '../../models/hub/pull-from-hub.ts';
import { suggestNext } from '../../models/install-model.ts';
import { pullFromMlflow } from '../../models/mlflow/pull-from-mlflow.ts';
import { openRepository } from '../../models/open-repository.ts';
import { createProgress } from '../../models/progress.ts';
import { readSource } from '../../models/read-source.ts';
import type { CliCommand, CliContext } from '../command.ts';
import { installOptions, jsonOption, writeJson } from './options.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm run models -- pull',
      description: 'Fetch a model from the Hugging Face Hub or MLflow: resumed, checked, served within seconds.',
    },
    args: {
      source: { type: 'positional', required: true, description: 'org/name, or models:/name/3, models:/name@alias.' },
      ...installOptions,
      revision: { type: 'string', default: 'main', description: 'Branch, tag or commit of the Hub.' },
      force: { type: 'boolean', default: false, description: 'Install what is there already as a new version.' },
      ...jsonOption,
    },
    async run({ args, data }) {
      const { env } = data as CliContext;
      const { repository, home } = await openRepository(env);
      const source = readSource(String(args.source));
      const id = args.as ? String(args.as) : source.id;
      const present = repository.models.filter((files) => files.id === id);
      const say = (line: string) => void process.stderr.write(`${line}\n`);
      const parts = { home, present, say, progress: createProgress(process.stderr, Boolean(args.json)) };
      const dtype = args.dtype as Dtype | undefined;
      const wish = { id, dtype, task: args.task ? String(args.task) : undefined, isForced: Boolean(args.force) };
      await mkdir(home.home, { recursive: true });
      const files =
        source.kind === 'hub'
          ? await pullFromHub(
              { ...wish, name: source.name, revision: String(args.revision) },
              { ...parts, hub: readHubSettings(env) },
            )
          : await pullFromMlflow({ ...source, ...wish }, { ...parts, env });
      if (args.json) return writeJson(files);
      process.stdout.write(
        `${files.id}: version ${files.version}, ${files.task}, ${files.dtype}, in ${files.versionFolder}\n${suggestNext(files)}\n`,
      );
      return 0;
    },
  }),
  examples: [
    'npm run models -- pull onnx-community/bert-base-NER-ONNX --as ner --dtype q8',
    'HF_TOKEN=hf_... npm run models -- pull my-org/private-model --revision v1.2',
    'HF_ENDPOINT=https://hf-mirror.example npm run models -- pull Xenova/all-MiniLM-L6-v2',
    'MLFLOW_TRACKING_URI=http://mlflow:5000 npm run models -- pull models:/grocery-ner@champion',
  ],
};

export default command;
