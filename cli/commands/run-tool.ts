/** Runs a program of the project's tool box with the terminal's input and output, and passes its exit status on. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import type { CliContext } from './command.ts';

export const root = resolve(import.meta.dirname, '../..');

/** Runs Node on a script of this repository. Resolves with its exit status. */
export function runNode(args: readonly string[], env: CliContext['env']): Promise<number> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...env } });
    // A terminal's Ctrl-C reaches the child by itself; it decides, and we wait for it.
    const ignore = () => {};
    const forward = () => child.kill('SIGTERM');
    process.on('SIGINT', ignore).on('SIGTERM', forward).on('SIGHUP', forward);
    child.on('error', fail);
    child.on('exit', (code, signal) => {
      process.off('SIGINT', ignore).off('SIGTERM', forward).off('SIGHUP', forward);
      done(signal ? 128 + constants.signals[signal] : (code ?? 1));
    });
  });
}
