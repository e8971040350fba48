/** Model folders: each is read and its files are hashed, as a lane does before it loads them; servers elsewhere are asked. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ModelFault } from '../../models/repository/manifest.ts';
import type { ModelFiles, ModelRepository } from '../../models/repository/model-files.ts';
import { scanRepository } from '../../models/repository/scan-repository.ts';
import { shellWord } from '../../models/repository/shell-word.ts';
import { verifyFiles } from '../../models/repository/verify-files.ts';
import { checkUpstream } from '../models/check-upstream.ts';
import type { Environment } from './check-programs.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** 90 MB are hashed in 0.3 s; a folder of large models takes its time. */
const deadlineMs = 120_000;

/** @param areNamed whether somebody chose these folders: the usual one comes with the first `models pull`. */
export async function checkModelFolders(
  folders: readonly string[],
  areNamed = true,
  env: Environment = {},
): Promise<Finding[]> {
  const repository = await scanRepository(folders);
  const absent = areNamed ? folders.filter((folder) => !existsSync(folder)) : [];
  const findings = absent.map((folder) =>
    fail('models', `MODELS_DIR names ${folder}, which is not there`, `mkdir -p ${folder}`),
  );
  findings.push(...(await checkModels(repository, env)));
  if (findings.length === 0)
    findings.push(warn('models', `none in ${folders.join(', ')}`, 'npm run models -- pull <hub id>'));
  return findings;
}

/** What a lane checks before it loads, of each; of one that a server elsewhere runs, whether that answers. */
export async function checkModels({ models, broken }: ModelRepository, env: Environment): Promise<Finding[]> {
  const signal = AbortSignal.timeout(deadlineMs);
  const findings: Finding[] = [];
  for (const files of models) {
    const name = `model ${files.id}`;
    try {
      findings.push(files.upstream ? await judgeServer(name, files, env) : await judgeFiles(name, files, signal));
    } catch (error) {
      findings.push(fail(name, (error as Error).message, mending(files, error)));
    }
  }
  for (const { id, folder, reason, fix } of broken)
    findings.push(fail(`model ${id}`, reason, fix ?? `ls -la ${shellWord(folder)}`));
  return findings;
}

async function judgeFiles(name: string, files: ModelFiles, signal: AbortSignal): Promise<Finding> {
  await verifyFiles(files, signal);
  return ok(name, `${files.task}, version ${files.version}, ${Object.keys(files.sha256).length} sha256 right`);
}

async function judgeServer(name: string, { upstream, task, folder }: ModelFiles, env: Environment): Promise<Finding> {
  if (!upstream) throw new Error('The model runs on no server.');
  const oddity = await checkUpstream(upstream, env);
  if (oddity === null) return ok(name, `${task}, ${upstream.model} at ${upstream.url}, which answers`);
  return warn(name, oddity, `Correct upstream.model in ${join(folder, 'manifest.yaml')}, unless it is an alias`);
}

/** What the check says itself, else to fetch what was fetched once more. */
function mending({ id, folder, source, upstream }: ModelFiles, error: unknown): string {
  if (error instanceof ModelFault && error.fix !== null) return error.fix;
  if (upstream) return `Start that server, or correct \`upstream\` in ${join(folder, 'manifest.yaml')}`;
  const [, name] = /^(?:hf:([^@]+)@[0-9a-f]{40}|models:\/.*)$/.exec(source ?? '') ?? [];
  if (source === null || (name === undefined && !source.startsWith('models:')))
    return `Fetch its files again into ${folder}`;
  return `npm run models -- pull ${name ?? source} --as ${id} --force`;
}
