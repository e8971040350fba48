/**
 * `pull models:/name/3`: the artifact of a registered version, as a folder in Hub layout somewhere in it. MLflow keeps no
 * hashes: those that the manifest gets are of what came.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { fileURLToPath } from 'node:url';
import type { Dtype } from '../../../models/repository/dtypes.ts';
import { ModelFault } from '../../../models/repository/manifest.ts';
import type { ModelFiles } from '../../../models/repository/model-files.ts';
import { type ChosenFiles, chooseFiles, type ListedFile } from '../choose-files.ts';
import { checkFree, installModel, type ModelHome } from '../install-model.ts';
import type { Progress } from '../progress.ts';
import { MlflowClient, type RegisteredVersion } from './mlflow-client.ts';

export interface MlflowWish {
  readonly name: string;
  readonly version?: string;
  readonly alias?: string;
  readonly id: string;
  readonly dtype: Dtype | undefined;
  readonly task: string | undefined;
  readonly isForced: boolean;
}

export interface MlflowParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: ModelHome;
  readonly present: readonly ModelFiles[];
  readonly progress: Progress;
  readonly say: (line: string) => void;
}

/** For one file; the largest that a lane loads takes a while on a slow line. */
const fileMsMax = 30 * 60_000;

export async function pullFromMlflow(wish: MlflowWish, parts: MlflowParts): Promise<ModelFiles> {
  checkFree(wish.id, parts.home);
  const client = new MlflowClient(parts.env);
  const version = await client.find(wish.name, wish);
  const source = `models:/${version.name}/${version.version}`;
  const same = parts.present.find((files) => files.source === source);
  if (same && !wish.isForced) {
    parts.say(`${wish.id} has ${source} already, as version ${same.version}.`);
    return same;
  }
  const { folder, files } = findModelFolder(source, await client.list(version));
  const chosen = chooseFiles(source, files, wish.dtype);
  parts.say(`${source}: ${chosen.files.length} files, ${chosen.dtype}`);
  const spool = await mkdtemp(join(tmpdir(), 'millrace-mlflow-'));
  try {
    const fetched = await fetchAll(client, version, { folder, chosen, spool, progress: parts.progress });
    // Its versions are MLflow's, unless it has some from elsewhere.
    const isOurs = parts.present.every((other) => other.source?.startsWith(`models:/${version.name}/`));
    const number = isOurs ? version.version : undefined;
    return await installModel(
      { ...wish, dtype: chosen.dtype, source, licence: null, taskHint: undefined, version: number, files: fetched },
      parts.home,
    );
  } finally {
    await rm(spool, { recursive: true, force: true });
  }
}

/** MLflow puts a model into `artifacts/`, `model/`, `data/`...: the folder nearest to the top that has a config.json. */
function findModelFolder(source: string, files: readonly ListedFile[]): { folder: string; files: ListedFile[] } {
  const configs = files.filter(({ path }) => path === 'config.json' || path.endsWith('/config.json'));
  const [nearest] = configs.sort((a, b) => a.path.split('/').length - b.path.split('/').length);
  if (!nearest) {
    const found = files.slice(0, 8).map(({ path }) => path);
    throw new ModelFault(
      `${source} holds no folder in Hub layout (config.json, onnx/); found ${found.join(', ') || 'nothing'}. Log one: mlflow.log_artifacts(folder, "model").`,
    );
  }
  const folder = nearest.path.slice(0, -'config.json'.length);
  const inside = files.filter(({ path }) => path.startsWith(folder));
  return { folder, files: inside.map(({ path, bytes }) => ({ path: path.slice(folder.length), bytes })) };
}

interface Fetching {
  readonly folder: string;
  readonly chosen: ChosenFiles<ListedFile>;
  readonly spool: string;
  readonly progress: Progress;
}

async function fetchAll(
  client: MlflowClient,
  version: RegisteredVersion,
  wish: Fetching,
): Promise<Map<string, string>> {
  const { folder, chosen, spool, progress } = wish;
  const fetched = new Map<string, string>();
  try {
    for (const { file, place } of chosen.files) {
      const from = folder + file.path;
      if (version.artifacts.startsWith('file:')) {
        fetched.set(place, join(fileURLToPath(version.artifacts), from));
        continue;
      }
      const to = join(spool, place);
      const bar = progress.begin(place, file.bytes);
      await mkdir(dirname(to), { recursive: true });
      const stream = await client.open(version, from, AbortSignal.timeout(fileMsMax));
      await pipeline(Readable.fromWeb(stream as WebStream), createWriteStream(to));
      const { size } = await stat(to);
      if (size !== file.bytes)
        throw new ModelFault(`${from} has ${file.bytes} bytes in MLflow, ${size} came. Try again.`);
      bar.done();
      fetched.set(place, to);
    }
  } finally {
    progress.stop();
  }
  return fetched;
}
