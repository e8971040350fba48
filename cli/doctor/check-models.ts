/** Model folders: each is read and its files are hashed, as a lane does before it loads them. */
import { existsSync } from 'node:fs';
import { ModelFault } from '../../models/repository/manifest.ts';
import type { ModelFiles, ModelRepository } from '../../models/repository/model-files.ts';
import { scanRepository } from '../../models/repository/scan-repository.ts';
import { shellWord } from '../../models/repository/shell-word.ts';
import { verifyFiles } from '../../models/repository/verify-files.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** 90 MB are hashed in 0.3 s; a folder of large models takes its time. */
const deadlineMs = 120_000;

/** @param areNamed whether somebody chose these folders: the usual one comes with the first `models pull`. */
export async function checkModelFolders(folders: readonly string[], areNamed = true): Promise<Finding[]> {
  const repository = await scanRepository(folders);
  const absent = areNamed ? folders.filter((folder) => !existsSync(folder)) : [];
  const findings = absent.map((folder) =>
    fail('models', `MODELS_DIR names ${folder}, which is not there`, `mkdir -p ${folder}`),
  );
  findings.push(...(await checkModels(repository)));
  if (findings.length === 0)
    findings.push(warn('models', `none in ${folders.join(', ')}`, 'npm run models -- pull <hub id>'));
  return findings;
}

/** What a lane checks before it loads, of each. */
export async function checkModels({ models, broken }: ModelRepository): Promise<Finding[]> {
  const signal = AbortSignal.timeout(deadlineMs);
  const findings: Finding[] = [];
  for (const files of models) {
    const name = `model ${files.id}`;
    const hashes = Object.keys(files.sha256).length;
    try {
      await verifyFiles(files, signal);
      findings.push(ok(name, `${files.task}, version ${files.version}, ${hashes} sha256 right`));
    } catch (error) {
      findings.push(fail(name, (error as Error).message, mending(files, error)));
    }
  }
  for (const { id, folder, reason, fix } of broken)
    findings.push(fail(`model ${id}`, reason, fix ?? `ls -la ${shellWord(folder)}`));
  return findings;
}

/** What the check says itself, else to fetch what was fetched once more. */
function mending({ id, folder, source }: ModelFiles, error: unknown): string {
  if (error instanceof ModelFault && error.fix !== null) return error.fix;
  const [, name] = /^(?:hf:([^@]+)@[0-9a-f]{40}|models:\/.*)$/.exec(source ?? '') ?? [];
  if (source === null || (name === undefined && !source.startsWith('models:')))
    return `Fetch its files again into ${folder}`;
  return `npm run models -- pull ${name ?? source} --as ${id} --force`;
}
