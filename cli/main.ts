/**
 * The commands of Millrace. Finds the command, parses its arguments with citty, prints help, and turns what went wrong
 * into one message and an exit status. Arguments and environment come from `bootstrap.mjs`.
 */
import { renderUsage, runCommand } from 'citty';
import { nearestMatch } from '../models/repository/nearest-match.ts';
import { SettingsError } from '../shared/config/settings.ts';
import { exitConfig } from '../shared/processes/process-life.ts';
import type { CliCommand, CliContext, Commands } from './commands/command.ts';
import { findUnknown } from './commands/find-unknown.ts';
import { DataInUse } from './launcher/data-lock.ts';
import { PortInUse } from './launcher/port-check.ts';

/** Loaded when asked for: `npm test` needs none of what `npm start` needs. */
const commands: Commands = {
  demo: () => import('./commands/demo.ts'),
  start: () => import('./commands/start.ts'),
  models: () => import('./commands/models.ts'),
  doctor: () => import('./commands/doctor.ts'),
  top: () => import('./commands/top.ts'),
  test: () => import('./commands/test.ts'),
  bench: () => import('./commands/bench.ts'),
  nemesis: () => import('./commands/nemesis.ts'),
  parity: () => import('./commands/parity.ts'),
  check: () => import('./commands/check.ts'),
  docs: () => import('./commands/docs.ts'),
};

export interface CliOptions {
  /** Stop when the parent process (npm, say) is gone. */
  readonly watchesParent: boolean;
}

/** Runs one command and resolves with its exit status. */
export async function runCli(args: readonly string[], env: CliContext['env'], options: CliOptions): Promise<number> {
  const [name = '--help', ...rest] = args;
  const load = own(commands, name);
  if (!load) return listCommands('npm run', commands, name);
  const { default: command } = await load();
  if (!command.subCommands) return await run(command, { title: `npm run ${name}`, rest, env, options });
  const [verb = '--help', ...more] = rest;
  const loadVerb = own(command.subCommands, verb);
  const title = `npm run ${name} --`;
  if (!loadVerb) return listCommands(title, command.subCommands, verb);
  return await run((await loadVerb()).default, { title: `${title} ${verb}`, rest: more, env, options });
}

interface Wish {
  readonly title: string;
  readonly rest: readonly string[];
  readonly env: CliContext['env'];
  readonly options: CliOptions;
}

async function run(command: CliCommand, { title, rest, env, options }: Wish): Promise<number> {
  if (!command.passesHelp && (rest.includes('--help') || rest.includes('-h'))) {
    process.stdout.write(`${await renderUsage(command.definition)}\n\nEXAMPLES\n\n${indent(command.examples)}\n`);
    return 0;
  }
  const unknown = command.passesArguments ? undefined : findUnknown(rest, command.definition.args ?? {});
  if (unknown !== undefined) {
    const help = title.includes(' -- ') ? `${title} --help` : `${title} -- --help`;
    process.stderr.write(`${title} has no "${unknown}". See: ${help}\n`);
    return 1;
  }
  try {
    const data: CliContext = { env, rawArgs: rest, watchesParent: options.watchesParent };
    const { result } = await runCommand(command.definition, { rawArgs: [...rest], data });
    return typeof result === 'number' ? result : 0;
  } catch (error) {
    process.stderr.write(`\n${await explain(error)}\n`);
    return error instanceof SettingsError ? exitConfig : 1;
  }
}

function own(list: Commands, name: string) {
  return Object.hasOwn(list, name) ? list[name] : undefined;
}

/** Expected trouble needs no stack: its message says what to do. */
async function explain(error: unknown): Promise<string> {
  if (error instanceof SettingsError || error instanceof DataInUse || error instanceof PortInUse) return error.message;
  if (error instanceof Error && error.name === 'CLIError') return error.message;
  const { ModelFault } = await import('../models/repository/manifest.ts');
  if (error instanceof ModelFault) return error.fix === null ? error.message : `${error.message}\n  fix: ${error.fix}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function listCommands(prefix: string, list: Commands, asked: string): Promise<number> {
  const isHelp = ['--help', '-h', 'help'].includes(asked);
  const width = Math.max(...Object.keys(list).map((name) => name.length), 8);
  const lines = await Promise.all(
    Object.entries(list).map(async ([name, load]) => {
      const { definition } = (await load()).default;
      const meta = (await (typeof definition.meta === 'function' ? definition.meta() : definition.meta)) ?? {};
      return `  ${prefix} ${name.padEnd(width)} ${meta.description ?? ''}`;
    }),
  );
  const nearest = isHelp ? null : nearestMatch(asked, Object.keys(list));
  const head = isHelp
    ? 'Millrace: asynchronous batch inference.'
    : `There is no command "${asked}".${nearest === null ? '' : ` Did you mean "${nearest}"?`}`;
  const [example = ''] = Object.keys(list);
  const help = prefix.endsWith('--') ? `${prefix} ${example} --help` : `${prefix} ${example} -- --help`;
  (isHelp ? process.stdout : process.stderr).write(`${head}\n\n${lines.join('\n')}\n\nEach has --help: ${help}\n`);
  return isHelp ? 0 : 1;
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n');
}
