/**
 * Keeps node_modules what package-lock.json says, with `npm ci`. A stamp of the lock's hash makes the usual case cost a
 * millisecond; without a stamp (somebody ran `npm ci` by hand) npm's own record of what it installed decides.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { runVisibly, say } from './run-visibly.mjs';
import { SetupError } from './setup-error.mjs';

export async function ensureNpmPackages(root, env) {
  const lockFile = join(root, 'package-lock.json');
  const stampFile = join(root, 'node_modules/.millrace-lock');
  const lock = readFileSync(lockFile);
  const stamp = createHash('sha256').update(lock).digest('hex');
  const hasNode = existsSync(join(root, 'node_modules/.bin/node'));
  if (hasNode && readIfThere(stampFile) === stamp) return;
  if (hasNode && isInstalled(root, JSON.parse(lock.toString('utf8')))) {
    writeFileSync(stampFile, stamp);
    return;
  }
  say('installing npm packages (npm ci; a minute or two the first time)');
  const startedAt = Date.now();
  const code = await runVisibly('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    env: { ...env, PATH: pathWithoutPackages(root, env.PATH) },
  });
  if (code === 127)
    throw new SetupError('npm is not on PATH. Install it: https://nodejs.org or "apt-get install npm".');
  if (code !== 0)
    throw new SetupError(
      `npm ci failed with exit code ${code}. Its reason is above; after it is mended, run this again.`,
    );
  if (!existsSync(join(root, 'node_modules/.bin/node'))) {
    throw new SetupError(
      'npm ci brought no Node 24: the package "node" needs its install script. Run npm ci without --ignore-scripts.',
    );
  }
  writeFileSync(stampFile, stamp);
  say(`npm packages are there (${Math.round((Date.now() - startedAt) / 1000)} s)`);
}

/** npm ci deletes node_modules, and so a `node` in it must not be the one that runs npm. */
function pathWithoutPackages(root, path = '') {
  const inside = resolve(root, 'node_modules');
  return path
    .split(delimiter)
    .filter((folder) => folder !== '' && !resolve(folder).startsWith(inside))
    .join(delimiter);
}

/** True when node_modules/.package-lock.json holds every package of the lock that is not optional, at its version. */
function isInstalled(root, lock) {
  const text = readIfThere(join(root, 'node_modules/.package-lock.json'));
  if (text === undefined) return false;
  const installed = JSON.parse(text).packages ?? {};
  return Object.entries(lock.packages ?? {}).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    return found ? found.version === wanted.version : Boolean(wanted.optional || wanted.devOptional);
  });
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
