/**
 * Reads one model folder, in either layout, into the ModelFiles of the versions that are served. Throws ModelFault
 * with what was expected, what was found and the fix. Does not open graphs or check hashes: `verify-files.ts` does.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskContracts } from '../discover-tasks.ts';
import type { TaskContract } from '../task.ts';
import { type Dtype, dtypeSuffixes } from './dtypes.ts';
import { inferTask } from './infer-task.ts';
import { firstLine, type Manifest, ModelFault, parseManifest, suggestion } from './manifest.ts';
import type { ModelFiles, ModelLimits } from './model-files.ts';
import { readSamples } from './read-samples.ts';

/** Every served version of the model in `folder`, highest first. */
export async function readModel(folder: string, id: string, contracts: TaskContracts): Promise<ModelFiles[]> {
  const names = await readdir(folder);
  if (names.includes('manifest.yaml')) return readWithManifest(folder, id, names, contracts);
  if (names.includes('manifest.yml')) throw new ModelFault('Found manifest.yml; name it manifest.yaml.');
  if (!names.includes('config.json')) {
    if (names.includes('onnx')) {
      throw new ModelFault(
        `No config.json beside onnx/; found ${listNames(names)}. Copy config.json from where the model came from.`,
      );
    }
    throw new ModelFault(
      'Expected manifest.yaml with version folders, or a Hub folder with config.json and onnx/; ' +
        `found ${listNames(names)}. Add a manifest.yaml, or copy the whole Hub folder.`,
    );
  }
  return [await readBareFolder(folder, id, names, contracts)];
}

async function readWithManifest(
  folder: string,
  id: string,
  names: readonly string[],
  contracts: TaskContracts,
): Promise<ModelFiles[]> {
  const manifest = parseManifest(await readFile(join(folder, 'manifest.yaml'), 'utf8'));
  const contract = contractOf(manifest.task, contracts);
  checkParameters(manifest, contract);
  const versions = pickVersions(manifest, names);
  if (versions.length === 0 && names.includes('config.json')) {
    return [await describeVersion(folder, folder, id, '1', manifest, contract)];
  }
  if (versions.length === 0) {
    throw new ModelFault(`No version folder ("1", "2", ...) with the model's files; found ${listNames(names)}.`);
  }
  return Promise.all(
    versions.map((version) => describeVersion(folder, join(folder, version), id, version, manifest, contract)),
  );
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
  return {
    id,
    task: contract.task,
    version,
    isDefault: manifest.default ?? false,
    description: manifest.description ?? '',
    licence: manifest.licence ?? null,
    dtype: await pickDtype(versionFolder, manifest.dtype),
    folder,
    versionFolder,
    limits: toLimits(manifest.limits),
    parameters: manifest.parameters ?? {},
    samples: readSamples(manifest.samples ?? [], contract),
    sha256: Object.fromEntries(Object.entries(manifest.files ?? {}).map(([path, file]) => [path, file.sha256])),
  };
}

/** The manifest's dtype, which must be there; else fp32 when present, else the first in the table's order that is. */
async function pickDtype(versionFolder: string, wished: Dtype | undefined): Promise<Dtype> {
  const onnx = join(versionFolder, 'onnx');
  const files = await readdir(onnx).catch(() => null);
  if (files === null) {
    throw new ModelFault(
      'No onnx/ folder beside config.json. Move model.onnx into onnx/, fetch the ONNX files from the Hub, or export with optimum-cli.',
    );
  }
  const found = new Set(files.flatMap((file) => dtypeOfFile(file) ?? []));
  if (found.size === 0) {
    throw new ModelFault(
      `onnx/ holds no graph that is called model.onnx, model_quantized.onnx, ...; found ${listNames(files)}. ` +
        'Put the graph there, or rename it.',
    );
  }
  if (wished !== undefined && !found.has(wished)) {
    throw new ModelFault(
      `dtype ${wished} needs onnx/model${dtypeSuffixes[wished]}.onnx; onnx/ has ${[...found].join(', ')}. ` +
        'Change `dtype` in manifest.yaml or add the file.',
    );
  }
  const available = Object.keys(dtypeSuffixes) as Dtype[];
  return wished ?? available.find((dtype) => found.has(dtype)) ?? 'fp32';
}

/** Undefined for a file that no pipeline opens: a graph is found by its name alone. */
function dtypeOfFile(file: string): Dtype | undefined {
  const dtypes = Object.entries(dtypeSuffixes) as [Dtype, string][];
  return dtypes.find(([, suffix]) => file === `model${suffix}.onnx`)?.[0];
}

async function readConfig(versionFolder: string): Promise<Record<string, unknown>> {
  const path = join(versionFolder, 'config.json');
  if (!(await stat(path).catch(() => null))) throw new ModelFault(`No config.json in ${versionFolder}.`);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new ModelFault(`config.json is not JSON: ${firstLine(error)}. A Git LFS pointer? Fetch the real file.`);
  }
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
  throw new ModelFault(`Task "${task}" is not known${suggestion(task, known)} Tasks: ${known.join(', ')}.`);
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

/** At most eight names: enough to see what kind of folder it is. */
function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  return names.slice(0, 8).join(', ') + (names.length > 8 ? `, and ${names.length - 8} more` : '');
}
