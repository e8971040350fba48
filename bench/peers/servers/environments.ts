/**
 * An environment per peer under `.millrace/bench/`: for Python with the versions that `python/requirements/<name>.txt` pins,
 * for Node with one package. Nothing of it is needed to run or test Millrace.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
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

/** Folder whose node_modules has the package. Installs it, once. */
async function nodePackage(name: string, version: string): Promise<string> {
  const folder = join(home, name.replace('/', '-'));
  const manifest = JSON.stringify({ private: true, dependencies: { [name]: version } });
  const stamp = join(folder, 'package.json');
  if (existsSync(join(folder, 'node_modules', name)) && readFileSync(stamp, 'utf8') === manifest) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(stamp, manifest);
  console.log(`installing ${name} into ${folder}`);
  // Its engine's libraries come with its package; the install script would fetch those of a GPU.
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: folder,
    timeout: installMsMax,
    maxBuffer: 1e8,
  });
  return folder;
}

/** A server of `e2e`, a writer of B6. */
export const transformersJsName = '@huggingface/transformers';
export const transformersJsPackage = () => nodePackage(transformersJsName, '4.3.1');

/** For a process of a peer: a package of a folder that `nodePackage` gave. */
export async function importInstalled(folder: string, name: string): Promise<unknown> {
  const { resolve: find } = createRequire(join(folder, 'package.json'));
  return await import(pathToFileURL(find(name)).href);
}

/** Why an environment can not be made here; null when it can. */
export async function whyNot(install: () => Promise<string>): Promise<string | null> {
  try {
    await install();
    return null;
  } catch (error) {
    return `its packages could not be installed: ${(error as Error).message.split('\n').at(-1)?.slice(0, 200)}`;
  }
}
