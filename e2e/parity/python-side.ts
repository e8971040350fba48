/**
 * The Python half of the full run: an environment of its own from models/parity/reference/requirements.txt, and exports
 * of true shape with the reference's answers beside them. Both under .millrace/, made again when their sources change.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { trueModels } from '../../models/parity/expected.ts';

const root = join(import.meta.dirname, '../..');
const reference = join(root, 'models/parity/reference');
const home = join(root, '.millrace/parity');

/** Path of a Python that has everything. The first time: 2 to 10 minutes and up to 6 GB, mostly PyTorch. */
export async function ensurePython(): Promise<string> {
  const venv = join(home, 'venv');
  const stampFile = join(venv, '.millrace-requirements');
  const stamp = digestOf([join(reference, 'requirements.txt')]);
  const python = join(venv, 'bin/python');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return python;
  rmSync(venv, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', venv]);
  await run(python, ['-m', 'pip', 'install', '--quiet', '-r', join(reference, 'requirements.txt')]);
  writeFileSync(stampFile, stamp);
  return python;
}

/** The folder of the export. */
export async function ensureExport(python: string, name: string): Promise<string> {
  const script = [join(reference, 'export.py'), '--shape', 'true'];
  return await ensureFolder(join(trueModels, name), (folder) => run(python, [...script, '--out', folder, name]));
}

/** The folder of what Python's tokenisers make of texts, a file for each. */
export async function ensureTokenizerCases(python: string): Promise<string> {
  const script = [join(reference, 'tokenizer_cases.py'), '--full'];
  return await ensureFolder(join(home, 'tokenizers'), (folder) => run(python, [...script, '--out', folder]));
}

/** Made anew when the scripts are others than those that made it. */
async function ensureFolder(folder: string, make: (folder: string) => Promise<unknown>): Promise<string> {
  const stampFile = join(folder, 'made-by');
  const stamp = digestOf(globSync(join(reference, '*.py')).sort());
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await make(folder);
  writeFileSync(stampFile, stamp);
  return folder;
}

/** Names of all architectures, from the script that knows them. */
export async function listArchitectures(python: string): Promise<string[]> {
  return (await run(python, [join(reference, 'export.py'), '--list'])).trim().split('\n');
}

function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}

/** What hangs ends: a first installation or an export takes minutes. */
const longestMs = 3_600_000;

/** Warnings of the exporter go nowhere unless it fails. */
function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HF_HUB_OFFLINE: '1', PYTHONWARNINGS: 'ignore' },
      timeout: longestMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-4000)));
    const fail = (end: number | string | null) =>
      reject(new Error(`${program} ${args.join(' ')} ended with ${end}:\n${errors}`));
    child.on('error', reject);
    // Killed, it may leave processes that keep its pipes open; else both are read to their ends.
    child.on('exit', (_, signal) => signal && fail(signal));
    child.on('close', (code) => (code === 0 ? resolve(output) : fail(code)));
  });
}
