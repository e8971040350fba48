/** `npm run models` as a user types it: a process of its own, with folders of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { root } from '../../commands/run-tool.ts';

export interface Ran {
  readonly code: number | NodeJS.Signals;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
}

export function startModels(args: readonly string[], env: Readonly<Record<string, string>>): Running {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [resolve(root, 'cli/bootstrap.mjs'), 'models', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Nothing of the machine's own settings for the Hub or MLflow.
    env: { PATH, HOME, MILLRACE_SET_UP: '1', ...env },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const ended = new Promise<Ran>((done) =>
    child.once('close', (code, signal) => done({ code: signal ?? code ?? 1, out, err })),
  );
  return { child, ended };
}

export async function runModels(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  return await startModels(args, env).ended;
}
