/** Writes the folder of a model that a server elsewhere runs: a manifest, checked as a running system will check it. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadContracts } from '../../models/discover-tasks.ts';
import { ModelFault } from '../../models/repository/manifest.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import { readModel } from '../../models/repository/read-model.ts';
import { renderUpstreamManifest } from '../../models/repository/write-manifest.ts';
import { checkFree, type ModelHome } from './install-model.ts';

export interface UpstreamWish {
  readonly url: string;
  /** Its name at the server. */
  readonly model: string;
  /** Id to serve it under; the last part of its name there when absent. */
  readonly id: string | undefined;
  /** The one task that upstreams can fill when absent. */
  readonly task: string | undefined;
  readonly licence: string | null;
  readonly apiKeyEnv: string | undefined;
  readonly maxConcurrency: number | undefined;
}

export async function addUpstream(wish: UpstreamWish, home: ModelHome): Promise<ModelFiles> {
  const id = wish.id ?? idOf(wish.model);
  checkFree(id, home);
  const folder = join(home.home, id);
  if (existsSync(folder)) {
    throw new ModelFault(`${folder} is there already. Edit its manifest.yaml, or remove it first.`, {
      fix: `npm run models -- rm ${id}`,
    });
  }
  const manifest = renderUpstreamManifest({ ...wish, task: wish.task ?? (await onlyTask()) });
  await mkdir(home.home, { recursive: true });
  const staging = await mkdtemp(join(home.home, `.${id}-`));
  try {
    await writeFile(join(staging, 'manifest.yaml'), manifest);
    await readModel(staging, id, await loadContracts());
    await chmod(staging, 0o755); // A temporary folder is its maker's alone; the workers may be another user.
    await rename(staging, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  const { versions } = await readModel(folder, id, await loadContracts());
  return versions[0] as ModelFiles;
}

/** `Qwen/Qwen3-VL-8B-Instruct` -> `Qwen3-VL-8B-Instruct`. */
function idOf(model: string): string {
  const last = model.split('/').filter(Boolean).at(-1) ?? model;
  return last.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 96);
}

async function onlyTask(): Promise<string> {
  const tasks = [...(await loadContracts()).values()].filter(({ chat }) => chat).map(({ task }) => task);
  const [task, ...more] = tasks;
  if (task !== undefined && more.length === 0) return task;
  throw new ModelFault(`Say which task it serves: --task <task>. Servers can serve ${tasks.join(', ')}.`);
}
