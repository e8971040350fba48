/**
 * Reads one model folder, in either layout, into the ModelFiles of the versions that are served. Throws ModelFault
 * with what was expected, what was found and the fix. Does not open graphs or check hashes: `verify-files.ts` does.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import type { TaskContracts } from '../discover-tasks.ts';
import type { TaskContract } from '../task.ts';
import { pickDtype } from './find-graphs.ts';
import { hashText, printOf } from './fingerprint.ts';
import { inferTask } from './infer-task.ts';
import { firstLine, listNames, type Manifest, ModelFault, parseManifest, suggestion } from './manifest.ts';
import type { ModelFiles, ModelLimits } from './model-files.ts';
import { readSamples } from './read-samples.ts';
import { shellWord } from './shell-word.ts';
import { toUpstream, type Upstream } from './upstream.ts';

export interface ReadModel {
  /** Every version that can be served, highest first. */
  readonly versions: readonly ModelFiles[];
  /** Versions that the policy names and that can not be served, when others can. */
  readonly faults: ReadonlyMap<string, ModelFault>;
}

export async function readModel(folder: string, id: string, contracts: TaskContracts): Promise<ReadModel> {
  const names = await readdir(folder);
  if (names.includes('manifest.yaml')) return readWithManifest(folder, id, names, contracts);
  if (names.includes('manifest.yml')) {
    const at = shellWord(join(folder, 'manifest'));
    throw new ModelFault('Found manifest.yml; name it manifest.yaml.', { fix: `mv ${at}.yml ${at}.yaml` });
  }
  if (!names.includes('config.json')) throw await noModelFound(folder, names);
  return alone(await readBareFolder(folder, id, names, contracts));
}

async function readWithManifest(
  folder: string,
  id: string,
  names: readonly string[],
  contracts: TaskContracts,
): Promise<ReadModel> {
  const manifest = parseManifest(await readFile(join(folder, 'manifest.yaml'), 'utf8'));
  const contract = contractOf(manifest.task, contracts);
  checkParameters(manifest, contract);
  if (manifest.upstream) return alone(await describeUpstream(folder, id, manifest, contract));
  const versions = pickVersions(manifest, names);
  if (versions.length === 0 && names.includes('config.json')) {
    return alone(await describeVersion(folder, folder, id, '1', manifest, contract));
  }
  if (versions.length === 0) {
    throw new ModelFault(`No version folder ("1", "2", ...) with the model's files; found ${listNames(names)}.`);
  }
  return readVersions(versions, (version) =>
    describeVersion(folder, join(folder, version), id, version, manifest, contract),
  );
}

/** One version that can not be read takes no other with it; without any, its fault is the model's. */
async function readVersions(names: string[], read: (version: string) => Promise<ModelFiles>): Promise<ReadModel> {
  const versions: ModelFiles[] = [];
  const faults = new Map<string, ModelFault>();
  for (const name of names) {
    try {
      versions.push(await read(name));
    } catch (error) {
      if (!(error instanceof ModelFault)) throw error;
      faults.set(name, error);
    }
  }
  const [first] = faults.values();
  if (versions.length === 0 && first) throw first;
  return { versions, faults };
}

function alone(files: ModelFiles): ReadModel {
  return { versions: [files], faults: new Map() };
}

async function readBareFolder(
  folder: string,
  id: string,
  names: readonly string[],
  contracts: TaskContracts,
): Promise<ModelFiles> {
  const task = inferTask(await readConfig(folder), names);
  return describeVersion(folder, folder, id, '1', {}, contractOf(task, contracts));
}

async function describeVersion(
  folder: string,
  versionFolder: string,
  id: string,
  version: string,
  manifest: Partial<Manifest>,
  contract: TaskContract,
): Promise<ModelFiles> {
  await readConfig(versionFolder);
  const files = {
    ...(await describe(folder, versionFolder, id, manifest, contract)),
    version,
    dtype: await pickDtype(versionFolder, manifest.dtype),
    warmUpRows: manifest.warm_up ?? [],
    batchDriftMax: manifest.batch_drift_max ?? null,
    customOpDomains: manifest.custom_op_domains ?? [],
    sha256: hashesOf(manifest, relative(folder, versionFolder)),
    upstream: null,
  };
  const { task, dtype, limits, parameters, warmUpRows, batchDriftMax, customOpDomains, sha256 } = files;
  const words = JSON.stringify([task, dtype, limits, parameters, warmUpRows, batchDriftMax, customOpDomains, sha256]);
  return { ...files, revision: hashText(`${words}\n${await printOf(versionFolder)}`) };
}

/** The one version of a model that runs elsewhere; only what the manifest says of how it runs makes another of it. */
async function describeUpstream(
  folder: string,
  id: string,
  manifest: Manifest,
  contract: TaskContract,
): Promise<ModelFiles> {
  const upstream = readUpstream(manifest, contract);
  const files = {
    ...(await describe(folder, folder, id, manifest, contract)),
    version: '1',
    dtype: '',
    warmUpRows: [],
    batchDriftMax: null,
    customOpDomains: [],
    sha256: {},
    upstream,
  };
  return { ...files, revision: hashText(JSON.stringify([files.task, files.limits, files.parameters, upstream])) };
}

/** What the manifest says of every version. */
async function describe(
  folder: string,
  versionFolder: string,
  id: string,
  manifest: Partial<Manifest>,
  contract: TaskContract,
) {
  return {
    id,
    task: contract.task,
    isAwaited: contract.defaultPriority === 'high',
    isDefault: manifest.default ?? false,
    description: manifest.description ?? '',
    licence: manifest.licence ?? null,
    card: await findCard(folder, versionFolder, manifest.card),
    source: manifest.source ?? null,
    folder,
    versionFolder,
    limits: toLimits(manifest.limits),
    parameters: manifest.parameters ?? {},
    samples: readSamples(manifest.samples ?? [], contract),
  };
}

/** Files of the version, and those that belong to all versions. */
function hashesOf({ files = {} }: Partial<Manifest>, versionName: string): Record<string, string> {
  const own = Object.entries(files).filter(([path]) => {
    const [, number] = /^([1-9]\d*)\//.exec(path) ?? [];
    return number === undefined || number === versionName;
  });
  return Object.fromEntries(own.map(([path, file]) => [path, file.sha256]));
}

/** The card that the manifest names must be there; a README.md is one by itself. */
async function findCard(folder: string, versionFolder: string, named: string | undefined): Promise<string | null> {
  const isThere = async (path: string) => (await stat(path).catch(() => null))?.isFile() === true;
  if (named !== undefined) {
    if (await isThere(join(folder, named))) return named;
    throw new ModelFault(`manifest.yaml: card: there is no ${named}. Write it, or leave \`card\` out.`);
  }
  for (const path of [join(folder, 'README.md'), join(versionFolder, 'README.md')])
    if (await isThere(path)) return relative(folder, path);
  return null;
}

async function readConfig(versionFolder: string): Promise<Record<string, unknown>> {
  const path = join(versionFolder, 'config.json');
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) {
    const names = await readdir(versionFolder).catch((): string[] => []);
    throw new ModelFault(`No config.json in ${basename(versionFolder)}/; found ${listNames(names)}.`);
  }
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new ModelFault(`config.json is not JSON: ${firstLine(error)}. A Git LFS pointer? Fetch the real file.`);
  }
}

/** What a folder without manifest and config.json probably is. */
async function noModelFound(folder: string, names: readonly string[]): Promise<ModelFault> {
  if (names.includes('onnx')) {
    return new ModelFault(
      `No config.json beside onnx/; found ${listNames(names)}. Copy config.json from where the model came from.`,
    );
  }
  const inside = await Promise.all(
    names.map(async (name) => (await readdir(join(folder, name)).catch((): string[] => [])).includes('config.json')),
  );
  const [below, ...more] = names.filter((_, index) => inside[index]);
  const at = shellWord(folder);
  if (below !== undefined && /^[1-9]\d*$/.test(below)) {
    return new ModelFault(`Found version folder ${below}/ but no manifest.yaml, which must name the task.`, {
      fix: `echo 'task: <task>' > ${at}/manifest.yaml`,
    });
  }
  if (more.length > 0) {
    return new ModelFault(`This is a folder of models (${listNames([below ?? '', ...more])}). Name it in MODELS_DIR.`, {
      fix: `MODELS_DIR=${at} npm start`,
    });
  }
  if (below !== undefined) {
    return new ModelFault(`The model lies one folder down, in ${below}/. Move its files up.`, {
      fix: `mv ${at}/${shellWord(below)}/* ${at}/`,
    });
  }
  return new ModelFault(
    'Expected manifest.yaml with version folders, or a Hub folder with config.json and onnx/; ' +
      `found ${listNames(names)}. Add a manifest.yaml, or copy the whole Hub folder.`,
  );
}

/** Highest first. Version folders are whole numbers, as in Triton. */
function pickVersions(manifest: Manifest, names: readonly string[]): string[] {
  const found = names.filter((name) => /^[1-9][0-9]{0,8}$/.test(name)).sort((a, b) => Number(b) - Number(a));
  const policy = manifest.version_policy ?? 'latest';
  if (policy === 'latest') return found.slice(0, 1);
  if (policy === 'all') return found;
  const missing = policy.filter((version) => !found.includes(version));
  if (missing.length > 0) {
    throw new ModelFault(`version_policy names ${missing.join(', ')}, which is not there; found ${listNames(found)}.`);
  }
  return found.filter((version) => policy.includes(version));
}

function contractOf(task: string, contracts: TaskContracts): TaskContract {
  const contract = contracts.get(task);
  if (contract) return contract;
  const known = [...contracts.keys()];
  throw new ModelFault(`Task "${task}" is not known${suggestion(task, known) || '.'} Tasks: ${known.join(', ')}.`);
}

function readUpstream({ task, upstream }: Manifest, { chat }: TaskContract): Upstream {
  if (!upstream) throw new Error('The manifest names no upstream.');
  if (!chat) throw new ModelFault(`manifest.yaml: ${task} can not be served by an upstream; its models run here.`);
  const unknown = Object.keys(upstream.prompts).find((name) => !chat.prompts.includes(name));
  if (unknown === undefined) return toUpstream(upstream);
  const known = chat.prompts.join(', ');
  throw new ModelFault(
    `manifest.yaml: upstream.prompts: ${task} has no prompt "${unknown}"${suggestion(unknown, chat.prompts) || '.'} Prompts: ${known}.`,
  );
}

function checkParameters(manifest: Manifest, contract: TaskContract): void {
  const result = contract.parameters.safeParse(manifest.parameters ?? {});
  if (result.success) return;
  const faults = result.error.issues.map((issue) => [...issue.path, issue.message].join(': '));
  throw new ModelFault(`manifest.yaml: parameters do not fit ${manifest.task}: ${faults.join('; ')}.`);
}

function toLimits(limits: Manifest['limits']): ModelLimits {
  return {
    ...(limits?.text_tokens_max !== undefined && { textTokensMax: limits.text_tokens_max }),
    ...(limits?.audio_seconds_max !== undefined && { audioSecondsMax: limits.audio_seconds_max }),
    ...(limits?.image_pixels_max !== undefined && { imagePixelsMax: limits.image_pixels_max }),
  };
}
