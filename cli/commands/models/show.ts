/** `models show`: all that is known of one model; exit 1 when it can not be served. */
import { defineCommand } from 'citty';
import type { ModelFiles } from '../../../models/repository/model-files.ts';
import type { Upstream } from '../../../models/repository/upstream.ts';
import type { LoadedModel } from '../../../shared/jobs/model-entry.ts';
import { AdminClient, NotRunning } from '../../models/admin-client.ts';
import { formatBytes } from '../../models/format-bytes.ts';
import { findModel, type NamedModel, openRepository } from '../../models/open-repository.ts';
import { describeVersions } from '../../models/render-loaded.ts';
import { sizeOf } from '../../models/size-of.ts';
import { createPaint } from '../../terminal/paint.ts';
import { renderTable } from '../../terminal/table.ts';
import type { CliCommand, CliContext } from '../command.ts';
import { jsonOption, modelArgument, writeJson } from './options.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm run models -- show',
      description: 'All about one model: files, limits, where it is loaded, errors.',
    },
    args: { ...modelArgument, ...jsonOption },
    async run({ args, data }) {
      const { env } = data as CliContext;
      const { repository, settings } = await openRepository(env);
      const model = findModel(repository, String(args.model));
      const loaded = await readLoaded(new AdminClient(settings), model.id);
      const code = model.versions.length === 0 || (loaded?.error ?? null) !== null ? 1 : 0;
      if (args.json) return writeJson({ ...model, loaded }, code);
      const paint = createPaint(process.stdout.isTTY === true, env);
      const lines = [...renderTable(await describe(model, loaded)), ...(loaded ? describeVersions(loaded) : [])];
      const faults = model.broken.flatMap(({ id, reason, fix }) => [
        `${paint.red('✖')} ${id}: ${reason}`,
        ...(fix === null ? [] : [`    fix: ${fix}`]),
      ]);
      process.stdout.write(`${paint.bold(model.id)}\n${[...lines.map((line) => `  ${line}`), ...faults].join('\n')}\n`);
      return code;
    },
  }),
  examples: ['npm run models -- show starter-ner-groceries', 'npm run models -- show ner@2 --json'],
};

async function describe({ folder, versions }: NamedModel, loaded: LoadedModel | null): Promise<string[][]> {
  const [files] = versions;
  const rows: (readonly [string, string | null])[] = [
    ['folder', folder],
    ['state', loaded ? loaded.status : 'no system runs with these settings'],
    ['error', loaded?.error ?? null],
    ['unfinished jobs', loaded ? String(loaded.unfinished_jobs) : null],
  ];
  if (files) {
    rows.push(
      ['task', `${files.task}${files.isDefault ? ' (its default)' : ''}`],
      ['versions', versions.map(({ version }) => version).join(', ')],
      ...(files.upstream ? describeUpstream(files.upstream) : await describeFiles(files)),
      ['licence', files.licence],
      ['card', files.card],
      ['source', files.source],
      ['description', files.description || null],
      ['limits', wordsOf(files.limits)],
      ['parameters', wordsOf(files.parameters)],
      ['warm-up', files.warmUpRows.length > 0 ? `batches of ${files.warmUpRows.join(', ')}` : null],
      ['custom operators', files.customOpDomains.join(', ') || null],
    );
  }
  return rows.flatMap(([name, text]) => (text === null ? [] : [[name, text]]));
}

async function describeFiles({ dtype, versionFolder, sha256 }: ModelFiles): Promise<[string, string][]> {
  const checked = Object.keys(sha256).length;
  return [
    ['dtype', dtype],
    ['size', formatBytes(await sizeOf(versionFolder))],
    ['sha256', checked > 0 ? `of ${checked} files` : 'none in the manifest'],
  ];
}

function describeUpstream(upstream: Upstream): [string, string][] {
  return [
    ['runs at', `${upstream.url} (${upstream.kind})`],
    ['as', upstream.model],
    ['key', upstream.apiKeyEnv === null ? 'none' : `in ${upstream.apiKeyEnv}`],
    ['calls at once', String(upstream.concurrencyMax)],
    ['timeout', `${upstream.timeoutSeconds} s a call`],
  ];
}

function wordsOf(value: object): string | null {
  return Object.keys(value).length === 0 ? null : JSON.stringify(value);
}

async function readLoaded(admin: AdminClient, id: string): Promise<LoadedModel | null> {
  try {
    return (await admin.list()).find((model) => model.id === id) ?? null;
  } catch (error) {
    if (error instanceof NotRunning) return null;
    throw error;
  }
}

export default command;
