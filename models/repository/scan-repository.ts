/**
 * Scans model directories into what can be served and what can not, with the reason. A folder that looks like a model
 * never vanishes silently. Reads names and small files only; weights are opened by `verify-files.ts` and the lanes.
 */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loadContracts, type TaskContracts } from '../discover-tasks.ts';
import { firstLine, ModelFault } from './manifest.ts';
import type { BrokenModel, ModelFiles, ModelRepository } from './model-files.ts';
import { readModel } from './read-model.ts';

const modelIdPattern = /^[A-Za-z0-9._-]{1,96}$/;

/**
 * Models of all directories, in their order; within one, by id. Of a model with several served versions the highest
 * comes first. Earlier directories win: a later folder of the same id is broken, a later default for a task yields.
 */
export async function scanRepository(
  directories: readonly string[],
  contracts?: TaskContracts,
): Promise<ModelRepository> {
  const known = contracts ?? (await loadContracts());
  const models: ModelFiles[] = [];
  const broken: BrokenModel[] = [];
  for (const directory of directories) {
    const scanned = await scanDirectory(resolve(directory), known, models);
    models.push(...scanned.models);
    broken.push(...scanned.broken);
  }
  return { models, broken };
}

async function scanDirectory(
  directory: string,
  contracts: TaskContracts,
  earlier: readonly ModelFiles[],
): Promise<ModelRepository> {
  const models: ModelFiles[] = [];
  const broken: BrokenModel[] = [];
  for (const id of await listModelFolders(directory, broken)) {
    const folder = join(directory, id);
    const shadowed = earlier.find((model) => model.id === id);
    try {
      if (shadowed) throw new ModelFault(`${shadowed.folder} already serves the id "${id}". Rename one folder.`);
      checkModelId(id);
      models.push(...settleDefault(await readModel(folder, id, contracts), earlier, models));
    } catch (error) {
      const reason = error instanceof ModelFault ? error.message : `Could not be read: ${firstLine(error)}`;
      broken.push({ id, folder, reason });
    }
  }
  return { models, broken };
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
    const reason = `The model directory can not be read: ${firstLine(error)}. Create it or correct the setting.`;
    broken.push({ id: directory, folder: directory, reason });
    return [];
  }
}

function checkModelId(id: string): void {
  if (modelIdPattern.test(id)) return;
  throw new ModelFault(`The folder's name is the model's id: 1 to 96 of A-Z a-z 0-9 . _ -; rename "${id}".`);
}

/** One default per task: an earlier directory's stands; two in one directory are a mistake. */
function settleDefault(
  versions: ModelFiles[],
  earlier: readonly ModelFiles[],
  sameDirectory: readonly ModelFiles[],
): ModelFiles[] {
  const task = versions[0]?.task;
  if (!versions[0]?.isDefault) return versions;
  const rival = sameDirectory.find((model) => model.isDefault && model.task === task);
  if (rival) throw new ModelFault(`"${rival.id}" is already the default for ${task}. Keep \`default: true\` in one.`);
  const isTaken = earlier.some((model) => model.isDefault && model.task === task);
  return isTaken ? versions.map((model) => ({ ...model, isDefault: false })) : versions;
}
