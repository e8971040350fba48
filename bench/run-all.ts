/** All benches one after the other, each in a process of its own, kept under results/; then the page is made of what is there. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { writePage } from './page/write-page.ts';

/** The order of the issue; what needs a quiet machine most stands first. */
const allBenches = ['e2e', 'celery', 'B1', 'B2', 'B3', 'B4', 'B5', 'B6', 'B7', 'B9', 'B10', 'B8'] as const;

/** Beside which all of them stay within two hours; what the caller says comes after, and counts. */
const ownArgs: Readonly<Record<string, readonly string[]>> = { celery: ['--pairs', '3', '--seconds', '3'] };

export async function runAll(args: readonly string[]): Promise<void> {
  const failed: string[] = [];
  for (const name of allBenches) {
    console.log(`\n== ${name}`);
    if ((await runOne(name, args)) !== 0) failed.push(name);
  }
  await writePage();
  console.log(JSON.stringify({ name: 'all', ran: allBenches.length - failed.length, failed }));
  if (failed.length > 0) process.exitCode = 1;
}

async function runOne(name: string, args: readonly string[]): Promise<number> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'main.ts'), name, '--keep', ...(ownArgs[name] ?? []), ...args],
    {
      stdio: 'inherit',
    },
  );
  return await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
