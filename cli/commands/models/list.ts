/** `models list`: what the folders hold, and what is wrong with the rest. */
import { defineCommand } from 'citty';
import { AdminClient, NotRunning } from '../../models/admin-client.ts';
import { formatBytes } from '../../models/format-bytes.ts';
import { openRepository } from '../../models/open-repository.ts';
import { sizeOf } from '../../models/size-of.ts';
import { createPaint } from '../../terminal/paint.ts';
import { renderTable } from '../../terminal/table.ts';
import type { CliCommand, CliContext } from '../command.ts';
import { jsonOption, writeJson } from './options.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: { name: 'npm run models -- list', description: 'What the model folders hold; states, when a system runs.' },
    args: { ...jsonOption },
    async run({ args, data }) {
      const { env } = data as CliContext;
      const { repository, settings } = await openRepository(env);
      const { models, broken } = repository;
      const states = await readStates(new AdminClient(settings));
      const rows = await Promise.all(
        models.map(async ({ id, version, task, dtype, licence, folder, versionFolder, isDefault, upstream }) => {
          const status = states?.get(id) ?? (states ? 'not noticed yet' : null);
          return {
            id,
            version,
            task,
            dtype: upstream?.kind ?? dtype,
            licence,
            default: isDefault,
            status,
            folder,
            bytes: await sizeOf(versionFolder),
          };
        }),
      );
      if (args.json) return writeJson({ models: rows, broken });
      const paint = createPaint(process.stdout.isTTY === true, env);
      const [head = '', ...lines] = renderTable([
        ['MODEL', 'VERSION', 'TASK', 'DTYPE', 'SIZE', 'LICENCE', 'STATE'],
        ...rows.map((row) => [
          row.id,
          row.version,
          `${row.task}${row.default ? ' *' : ''}`,
          row.dtype,
          formatBytes(row.bytes),
          row.licence ?? '-',
          row.status ?? '-',
        ]),
      ]);
      const faults = broken.flatMap(({ id, reason, fix }) => [
        `${paint.red('✖')} ${id}: ${reason}`,
        ...(fix === null ? [] : [`    fix: ${fix}`]),
      ]);
      const notes = [rows.some((row) => row.default) ? '* serves its task when a request names no model' : null];
      if (!states) notes.push('No system runs with these settings: npm start');
      const foot = notes.filter((note) => note !== null).map((note) => paint.dim(note));
      process.stdout.write(`${[paint.bold(head), ...lines, ...faults, '', ...foot].join('\n')}\n`);
      return 0;
    },
  }),
  examples: [
    'npm run models -- list',
    'npm run models -- list --json',
    'MODELS_DIR=./my-models npm run models -- list',
  ],
};

/** Null while no system runs: the folders can be listed all the same. */
async function readStates(admin: AdminClient): Promise<ReadonlyMap<string, string> | null> {
  try {
    return new Map((await admin.list()).map(({ id, status, error }) => [id, error ? `${status}: ${error}` : status]));
  } catch (error) {
    if (error instanceof NotRunning) return null;
    throw error;
  }
}

export default command;
