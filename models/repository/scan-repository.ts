/**
 * Scans model directories into what can be served and what can not, with the reason. A folder that looks like a model
 * never vanishes silently. Reads names and small files only; weights are opened by `verify-files.ts` and the lanes.
 */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loadContracts, type TaskContracts } from '../discover-tasks.ts';
import { firstLine, ModelFault } from './manifest.ts';
import type { BrokenModel, ModelFiles, ModelRepository } from './model-files.ts';
import { type ReadModel, readModel } from './read-model.ts';
import { shellWord } from './shell-word.ts';

export const modelIdPattern = /^[A-Za-z0-9._-]{1,96}$/;

/** How a folder is read: from the disk, or by who remembers it (`watch-repository.ts`). Throws ModelFault. */
export type ReadsModel = (folder: string, id: string, contracts: TaskContracts) => Promise<ReadModel>;

/**
 * Models of all directories, in their order; within one, by id. Of a model with several served versions the highest
 * comes first. Earlier directories win: a later folder of the same id is broken, a later default for a task yields. A
 * directory that is not there holds nothing: `models pull` makes it.
 */
export async function scanRepository(
  directories: readonly string[],
  contracts?: TaskContracts,
  read: ReadsModel = readModel,
): Promise<ModelRepository> {
  const known = contracts ?? (await loadContracts());
  const models: ModelFiles[] = [];
  const broken: BrokenModel[] = [];
  for (const directory of directories) {
    const scanned = await scanDirectory(resolve(directory), { contracts: known, earlier: models, read });
    models.push(...scanned.models);
    broken.push(...scanned.broken);
  }
  return { models, broken };
}

interface ScanWish {
  readonly contracts: TaskContracts;
  readonly earlier: readonly ModelFiles[];
  readonly read: ReadsModel;
}

async function scanDirectory(directory: string, { contracts, earlier, read }: ScanWish): Promise<ModelRepository> {
  const models: ModelFiles[] = [];
  const broken: BrokenModel[] = [];
  for (const id of await listModelFolders(directory, broken)) {
    const folder = join(directory, id);
    const shadowed = earlier.find((model) => model.id === id);
    try {
      if (shadowed) throw new ModelFault(`${shadowed.folder} already serves the id "${id}". Rename one folder.`);
      checkModelId(folder, id);
      const { versions, faults } = await read(folder, id, contracts);
      models.push(...settleDefault(versions, earlier, models));
      for (const [version, fault] of faults) broken.push(breakdown(`${id}@${version}`, folder, fault));
    } catch (error) {
      broken.push(breakdown(id, folder, error));
    }
  }
  return { models, broken };
}

function breakdown(id: string, folder: string, error: unknown): BrokenModel {
  if (error instanceof ModelFault) return { id, folder, reason: error.message, fix: error.fix };
  return { id, folder, reason: `Could not be read: ${firstLine(error)}`, fix: `ls -la ${shellWord(folder)}` };
}

/** Folders (also linked ones), by name; hidden ones and loose files (a README, say) are no models. */
async function listModelFolders(directory: string, broken: BrokenModel[]): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
    return folders
      .map((entry) => entry.name)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    const reason = `The model directory can not be read: ${firstLine(error)}. Correct MODELS_DIR or its rights.`;
    broken.push({ id: directory, folder: directory, reason, fix: `ls -la ${shellWord(directory)}` });
    return [];
  }
}

function checkModelId(folder: string, id: string): void {
  if (modelIdPattern.test(id)) return;
  const target = id.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 96);
  throw new ModelFault(`The folder's name is the model's id: 1 to 96 of A-Z a-z 0-9 . _ -; rename "${id}".`, {
    fix: `mv ${shellWord(folder)} ${shellWord(join(folder, '..', target))}`,
  });
}

/** One default per task: an earlier directory's stands; two in one directory are a mistake. */
function settleDefault(
  versions: readonly ModelFiles[],
  earlier: readonly ModelFiles[],
  sameDirectory: readonly ModelFiles[],
): readonly ModelFiles[] {
  const task = versions[0]?.task;
  if (!versions[0]?.isDefault) return versions;
  const rival = sameDirectory.find((model) => model.isDefault && model.task === task);
  if (rival) throw new ModelFault(`"${rival.id}" is already the default for ${task}. Keep \`default: true\` in one.`);
  const isTaken = earlier.some((model) => model.isDefault && model.task === task);
  return isTaken ? versions.map((model) => ({ ...model, isDefault: false })) : versions;
}
