/** `models verify`: what a lane checks before it loads, for all models or some; exit 1 when one fails. */
import { defineCommand } from 'citty';
import { checkModels } from '../../doctor/check-models.ts';
import { renderFindings } from '../../doctor/finding.ts';
import { findModel, openRepository } from '../../models/open-repository.ts';
import { createPaint } from '../../terminal/paint.ts';
import type { CliCommand, CliContext } from '../command.ts';
import { jsonOption, writeJson } from './options.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm run models -- verify',
      description: 'Check sha256, external data and operators of models, and servers of others; exit 1 if one fails.',
    },
    args: {
      model: { type: 'positional', required: false, description: 'Id of a model; all when absent.' },
      ...jsonOption,
    },
    async run({ args, data }) {
      const { env } = data as CliContext;
      const { repository } = await openRepository(env);
      const { id, versions, broken } = args.model
        ? findModel(repository, String(args.model))
        : { id: '', versions: repository.models, broken: repository.broken };
      const findings = await checkModels({ models: versions, broken }, env);
      const isWell = findings.every(({ level }) => level !== 'fail');
      if (args.json) return writeJson({ ok: isWell, findings }, isWell ? 0 : 1);
      const paint = createPaint(process.stdout.isTTY === true, env);
      process.stdout.write(renderFindings(id ? `models verify ${id}` : 'models verify', findings, paint));
      return isWell ? 0 : 1;
    },
  }),
  examples: [
    'npm run models -- verify',
    'npm run models -- verify starter-asr-digits',
    'npm run models -- verify --json',
  ],
};

export default command;
