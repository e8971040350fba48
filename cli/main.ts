/**
 * The commands of Millrace. Finds the command, parses its arguments with citty, prints help, and turns what went wrong
 * into one message and an exit status. Arguments and environment come from `bootstrap.mjs`.
 */
import { renderUsage, runCommand } from 'citty';
import { SettingsError } from '../shared/config/settings.ts';
import { exitConfig } from '../shared/processes/process-life.ts';
import type { CliCommand, CliContext } from './commands/command.ts';
import { DataInUse } from './launcher/data-lock.ts';
import { PortInUse } from './launcher/port-check.ts';

/** Loaded when asked for: `npm test` needs none of what `npm start` needs. */
const commands: Readonly<Record<string, () => Promise<{ readonly default: CliCommand }>>> = {
  demo: () => import('./commands/demo.ts'),
  start: () => import('./commands/start.ts'),
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
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!load) return listCommands(name);
  const { default: command } = await load();
  if (!command.passesHelp && (rest.includes('--help') || rest.includes('-h'))) {
    process.stdout.write(`${await renderUsage(command.definition)}\n\nEXAMPLES\n\n${indent(command.examples)}\n`);
    return 0;
  }
  const unknown = rest.find((word) => !command.passesArguments && !isDeclared(word, command));
  if (unknown !== undefined) {
    process.stderr.write(`npm run ${name} has no "${unknown}". See: npm run ${name} -- --help\n`);
    return 1;
  }
  try {
    const data: CliContext = { env, rawArgs: rest, watchesParent: options.watchesParent };
    const { result } = await runCommand(command.definition, { rawArgs: rest, data });
    return typeof result === 'number' ? result : 0;
  } catch (error) {
    process.stderr.write(`\n${explain(error)}\n`);
    return error instanceof SettingsError ? exitConfig : 1;
  }
}

/** citty ignores what it does not know, and a mistyped --once would serve for ever. All declared options are switches. */
function isDeclared(word: string, { definition }: CliCommand): boolean {
  return Object.keys(definition.args ?? {}).some((option) => word === `--${option}` || word === `--no-${option}`);
}

/** Expected trouble needs no stack: its message says what to do. */
function explain(error: unknown): string {
  if (error instanceof SettingsError || error instanceof DataInUse || error instanceof PortInUse) return error.message;
  if (error instanceof Error && error.name === 'CLIError') return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function listCommands(asked: string): Promise<number> {
  const isHelp = ['--help', '-h', 'help'].includes(asked);
  const lines = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => {
      const { definition } = (await load()).default;
      const meta = (await (typeof definition.meta === 'function' ? definition.meta() : definition.meta)) ?? {};
      return `  npm run ${name.padEnd(8)} ${meta.description ?? ''}`;
    }),
  );
  const head = isHelp ? 'Millrace: asynchronous batch inference.' : `There is no command "${asked}".`;
  (isHelp ? process.stdout : process.stderr).write(
    `${head}\n\n${lines.join('\n')}\n\nEach has --help: npm run demo -- --help\n`,
  );
  return isHelp ? 0 : 1;
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n');
}
