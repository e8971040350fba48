/**
 * `pull org/name`: looks up the commit, chooses what is needed, fetches it into the cache, installs it. The same commit
 * and dtype again changes nothing.
 */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dtype } from '../../../models/repository/dtypes.ts';
import { ModelFault } from '../../../models/repository/manifest.ts';
import type { ModelFiles } from '../../../models/repository/model-files.ts';
import { type ChosenFiles, chooseFiles } from '../choose-files.ts';
import { formatBytes } from '../format-bytes.ts';
import { checkFree, installModel, type ModelHome } from '../install-model.ts';
import type { Progress } from '../progress.ts';
import { fetchFile } from './fetch-file.ts';
import { HubClient, type HubFile, type HubModel } from './hub-client.ts';
import type { HubSettings } from './hub-settings.ts';

export interface PullWish {
  readonly name: string;
  readonly revision: string;
  readonly id: string;
  readonly dtype: Dtype | undefined;
  readonly task: string | undefined;
  /** Install it again, as a new version. */
  readonly isForced: boolean;
}

export interface PullParts {
  readonly hub: HubSettings;
  readonly home: ModelHome;
  readonly progress: Progress;
  /** Of the same id, when there is one. */
  readonly present: readonly ModelFiles[];
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Files fetched at once: the Hub serves each at its own pace, and more only fight for the line. */
const atOnce = 4;

export async function pullFromHub(wish: PullWish, parts: PullParts): Promise<ModelFiles> {
  checkFree(wish.id, parts.home);
  const client = new HubClient(parts.hub);
  const model = await client.describe(wish.name, wish.revision);
  const source = `hf:${model.name}@${model.commit}`;
  const chosen = chooseFiles(model.name, await client.list(model), wish.dtype);
  const same = parts.present.find((files) => files.source === source && files.dtype === chosen.dtype);
  if (same && !wish.isForced) {
    parts.say(`${wish.id} has ${source} in ${chosen.dtype} already, as version ${same.version}.`);
    return same;
  }
  const bytes = chosen.files.reduce((sum, { file }) => sum + file.bytes, 0);
  parts.say(
    `${model.name} at ${model.commit.slice(0, 12)}: ${chosen.files.length} files, ${formatBytes(bytes)}, ${chosen.dtype}`,
  );
  await checkSpace(parts.home.home, bytes);
  const files = await fetchAll(client, model, chosen, parts);
  return await installModel(
    { ...wish, dtype: chosen.dtype, source, licence: model.licence, taskHint: model.task, version: undefined, files },
    parts.home,
  );
}

/** Place -> path in the cache. */
async function fetchAll(
  client: HubClient,
  model: HubModel,
  chosen: ChosenFiles<HubFile>,
  { hub, progress, signal }: PullParts,
): Promise<Map<string, string>> {
  const folder = join(hub.cacheDir, `models--${model.name.replaceAll('/', '--')}`);
  const files = new Map<string, string>();
  const waiting = [...chosen.files].sort((a, b) => b.file.bytes - a.file.bytes);
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { file, place } = next;
      const bar = progress.begin(place, file.bytes);
      const open = (from: HubFile, byte: number, until: AbortSignal) => client.open(model, from, byte, until);
      files.set(place, await fetchFile(file, { folder, open, onBytes: (bytes) => bar.update(bytes), signal: stop }));
      bar.done();
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, work));
  } catch (error) {
    failed.abort(error);
    throw error;
  } finally {
    progress.stop();
  }
  return files;
}

/** The files lie in the cache and in the model home. */
async function checkSpace(home: string, bytes: number): Promise<void> {
  const disk = await statfs(home).catch(() => null);
  const free = disk ? disk.bavail * disk.bsize : Number.POSITIVE_INFINITY;
  if (free > 2 * bytes) return;
  throw new ModelFault(
    `${formatBytes(2 * bytes)} are needed (cache and ${home}), ${formatBytes(free)} are free. Make room, or set HF_HOME and MODELS_DIR to larger disks.`,
  );
}
