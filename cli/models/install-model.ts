/**
 * Puts fetched files into the model home in one step: they are laid out and checked in a hidden folder beside, and
 * renamed. A new model becomes `<home>/<id>/1/` with a manifest; one that is there gets a new version folder, which a
 * running system takes over as soon as it has loaded it. Whatever goes wrong, what was there stays as it was.
 */
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadContracts } from '../../models/discover-tasks.ts';
import type { Dtype } from '../../models/repository/dtypes.ts';
import { inferTask } from '../../models/repository/infer-task.ts';
import { ModelFault, parseManifest, suggestion } from '../../models/repository/manifest.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import { readModel } from '../../models/repository/read-model.ts';
import { modelIdPattern } from '../../models/repository/scan-repository.ts';
import { shellWord } from '../../models/repository/shell-word.ts';
import { hashFile, verifyFiles } from '../../models/repository/verify-files.ts';
import { renderManifest } from '../../models/repository/write-manifest.ts';
import { replaceFile } from '../../shared/files/replace-file.ts';
import { takeLock } from '../launcher/data-lock.ts';

export interface FetchedModel {
  readonly id: string;
  readonly dtype: Dtype;
  readonly source: string;
  readonly licence: string | null;
  /** Asked for by the user; else what the files say; else `taskHint`. */
  readonly task: string | undefined;
  readonly taskHint: string | undefined;
  /** The version it should become; the next free one when absent. */
  readonly version: string | undefined;
  /** Place in the version folder -> file to copy. */
  readonly files: ReadonlyMap<string, string>;
}

export interface ModelHome {
  readonly home: string;
  /** Other directories that are served: their ids are taken. */
  readonly others: readonly string[];
}

/** Checks the id before anything is fetched. */
export function checkFree(id: string, { home, others }: ModelHome): void {
  if (!modelIdPattern.test(id)) {
    throw new ModelFault(`"${id}" can not be an id: 1 to 96 of A-Z a-z 0-9 . _ - are. Choose one with --as.`);
  }
  const taken = others.find((directory) => existsSync(join(directory, id)));
  if (taken) throw new ModelFault(`${taken} already has a model "${id}". Choose another id with --as.`);
  const folder = join(home, id);
  if (existsSync(folder) && !existsSync(join(folder, 'manifest.yaml'))) {
    throw new ModelFault(`${folder} is there and has no manifest.yaml, so versions can not be added to it.`, {
      fix: `npm run models -- rm ${id}`,
    });
  }
}

/** The model that is served then. Throws ModelFault for what can not be served. */
export async function installModel(fetched: FetchedModel, home: ModelHome): Promise<ModelFiles> {
  checkFree(fetched.id, home);
  const inUse = (pid: number) => `Process ${pid} is installing ${fetched.id} just now. Wait for it.`;
  const unlock = takeLock(join(home.home, `.${fetched.id}.lock`), inUse);
  const staging = await mkdtemp(join(home.home, `.${fetched.id}-`));
  try {
    return await install(fetched, home.home, staging);
  } finally {
    await rm(staging, { recursive: true, force: true });
    unlock();
  }
}

async function install(fetched: FetchedModel, home: string, staging: string): Promise<ModelFiles> {
  const folder = join(home, fetched.id);
  const before = await readFile(join(folder, 'manifest.yaml'), 'utf8').catch(() => '');
  const version = fetched.version ?? (await nextVersion(folder));
  if (existsSync(join(folder, version))) {
    throw new ModelFault(`${fetched.id} has a version ${version} already.`, {
      fix: `npm run models -- rm ${fetched.id}@${version}`,
    });
  }
  const sha256 = await lay(fetched.files, join(staging, version));
  const task = await taskOf(fetched, join(staging, version));
  if (before !== '' && parseManifest(before).task !== task) {
    throw new ModelFault(
      `${fetched.id} serves ${parseManifest(before).task}, not ${task}. Choose another id with --as.`,
    );
  }
  const described = { ...fetched, task, version, sha256 };
  await writeFile(join(staging, 'manifest.yaml'), renderManifest('', described));
  await check(staging, fetched.id);
  if (before === '') {
    await chmod(staging, 0o755); // A temporary folder is its maker's alone; the workers may be another user.
    await rename(staging, folder);
  } else {
    // The manifest first: hashes of a version that is not there yet are nobody's.
    // Workers of another user read it.
    await replaceFile(join(folder, 'manifest.yaml'), renderManifest(before, described), 0o666);
    await rename(join(staging, version), join(folder, version));
  }
  const { versions } = await readModel(folder, fetched.id, await loadContracts());
  const served = versions.find((files) => files.version === version);
  if (served) return served;
  throw new ModelFault(
    `Version ${version} of ${fetched.id} is in ${folder}, but its version_policy does not serve it. Name it there.`,
  );
}

/** sha256 by place. */
async function lay(files: ReadonlyMap<string, string>, folder: string): Promise<Map<string, string>> {
  const sha256 = new Map<string, string>();
  for (const [place, from] of files) {
    const to = join(folder, place);
    await mkdir(dirname(to), { recursive: true });
    await cp(from, to, { dereference: true });
    sha256.set(place, await hashFile(to));
  }
  return sha256;
}

async function taskOf({ task, taskHint, id }: FetchedModel, versionFolder: string): Promise<string> {
  const tasks = [...(await loadContracts()).keys()];
  if (task !== undefined) {
    if (tasks.includes(task)) return task;
    throw new ModelFault(`--task ${task} is not known${suggestion(task, tasks) || '.'} Tasks: ${tasks.join(', ')}.`);
  }
  const config = JSON.parse(await readFile(join(versionFolder, 'config.json'), 'utf8')) as Record<string, unknown>;
  try {
    return inferTask(config, await readdir(versionFolder));
  } catch (error) {
    if (taskHint !== undefined && tasks.includes(taskHint)) return taskHint;
    if (!(error instanceof ModelFault)) throw error;
    throw new ModelFault(`${error.message} Or say it: --task <task> (${tasks.join(', ')}) for ${id}.`);
  }
}

/** All that a lane checks before it loads, so that nothing is installed that no lane takes. */
async function check(folder: string, id: string): Promise<void> {
  const { versions } = await readModel(folder, id, await loadContracts());
  for (const files of versions) await verifyFiles(files);
}

async function nextVersion(folder: string): Promise<string> {
  const names = await readdir(folder).catch((): string[] => []);
  const highest = names
    .filter((name) => /^[1-9][0-9]{0,8}$/.test(name))
    .reduce((most, name) => Math.max(most, Number(name)), 0);
  return String(highest + 1);
}

/** What to type next. */
export function suggestNext({ id, folder }: ModelFiles): string {
  return `  npm run models -- show ${id}\n  npm run models -- load ${id}      # or wait: a running system finds it within 4 s\n  ls ${shellWord(folder)}`;
}
