/** A Python environment per peer under `.millrace/bench/`, with the versions that `requirements/<name>.txt` pins. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const installMsMax = 900_000;
export const pythonFolder = join(import.meta.dirname, 'python');
const home = resolve(process.env['MILLRACE_BENCH_PYTHON'] ?? join(import.meta.dirname, '../../../.millrace/bench'));

/** Folder of its programs. Installs what is missing, once. */
export async function pythonPrograms(name: string): Promise<string> {
  const folder = join(home, name);
  const requirements = join(pythonFolder, 'requirements', `${name}.txt`);
  const wanted = readFileSync(requirements, 'utf8');
  const stamp = join(folder, 'installed.txt');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    mkdirSync(home, { recursive: true });
    console.log(`installing ${name} into ${folder}`);
    await run('python3', ['-m', 'venv', folder]);
    await run(join(folder, 'bin/pip'), ['install', '--quiet', '-r', requirements], {
      timeout: installMsMax,
      maxBuffer: 1e8,
    });
    writeFileSync(stamp, wanted);
  }
  return join(folder, 'bin');
}

/** Why the environment can not be made here; null when it can. */
export async function whyNoPython(name: string): Promise<string | null> {
  try {
    await pythonPrograms(name);
    return null;
  } catch (error) {
    return `its packages could not be installed: ${(error as Error).message.split('\n').at(-1)?.slice(0, 200)}`;
  }
}
