/** What a file in this folder exports as default. */
import type { CommandDef } from 'citty';

export interface CliCommand {
  /** Verbs below it: `models list`. Loaded when asked for. */
  readonly subCommands?: Commands;
  // biome-ignore lint/suspicious/noExplicitAny: citty's own type of "a command with whatever arguments"
  readonly definition: CommandDef<any>;
  /** Shown under the usage. */
  readonly examples: readonly string[];
  /** Hands `--help` on to the program that it runs. */
  readonly passesHelp?: boolean;
  /** Hands words and options that it does not declare on to the program that it runs. */
  readonly passesArguments?: boolean;
}

export type Commands = Readonly<Record<string, () => Promise<{ readonly default: CliCommand }>>>;

/** What a command gets as `data`. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Arguments after the command's name (and its verb's), untouched. */
  readonly rawArgs: readonly string[];
  readonly watchesParent: boolean;
}
