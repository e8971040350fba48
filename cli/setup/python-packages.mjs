/**
 * Python clients that end-to-end tests use as strangers would (e2e/requirements.txt), in a virtual environment under
 * .millrace/. Optional: without Python those tests skip and say so.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runVisibly, say } from './run-visibly.mjs';
import { findOnPath } from './system-packages.mjs';

export async function ensurePythonPackages(root, env) {
  const requirements = join(root, 'e2e/requirements.txt');
  const python = findOnPath('python3', env.PATH);
  if (!existsSync(requirements) || !python) return;
  const venv = join(root, '.millrace/test-venv');
  const stampFile = join(venv, '.millrace-requirements');
  const stamp = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('installing Python clients for tests (.millrace/test-venv)');
  rmSync(venv, { recursive: true, force: true });
  const pip = join(venv, 'bin/pip');
  const isDone =
    (await runVisibly(python, ['-m', 'venv', venv])) === 0 &&
    (await runVisibly(pip, ['install', '--quiet', '--disable-pip-version-check', '-r', requirements], { env })) === 0;
  if (isDone) writeFileSync(stampFile, stamp);
  else say('Python clients could not be installed: the tests that need them will be skipped.');
}
