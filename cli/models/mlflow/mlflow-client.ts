/**
 * An MLflow tracking server, as far as fetching a registered model needs it: which version a name means, and the files of
 * its artifact. By its REST API 2.0; artifacts come through the server's own proxy (`mlflow server` serves them unless told
 * otherwise), or from a folder that this machine shares with it.
 */
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelFault } from '../../../models/repository/manifest.ts';
import { nearestMatch } from '../../../models/repository/nearest-match.ts';
import type { ListedFile } from '../choose-files.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const answerMs = 30_000;
const filesMax = 10_000;
const namesMax = 200;

export interface RegisteredVersion {
  readonly name: string;
  readonly version: string;
  /** Where its files are: `mlflow-artifacts:/...` or `file:///...`. */
  readonly artifacts: string;
}

export class MlflowClient {
  readonly #origin: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(env: Environment) {
    const uri = env['MLFLOW_TRACKING_URI'] ?? '';
    if (!/^https?:\/\//.test(uri)) {
      throw new ModelFault('models:/ names a model of an MLflow registry. Set MLFLOW_TRACKING_URI to its server.', {
        fix: 'MLFLOW_TRACKING_URI=http://127.0.0.1:5000 npm run models -- pull models:/<name>/<version>',
      });
    }
    this.#origin = uri.replace(/\/+$/, '');
    this.#headers = authorization(env);
  }

  async find(name: string, wish: { readonly version?: string; readonly alias?: string }): Promise<RegisteredVersion> {
    const path =
      wish.version === undefined
        ? `registered-models/alias?${query({ name, alias: wish.alias ?? '' })}`
        : `model-versions/get?${query({ name, version: wish.version })}`;
    const answer = await this.#get<{ model_version: { version: string } }>(`api/2.0/mlflow/${path}`);
    if ('fault' in answer) throw await this.#absent(name, wish, answer.fault);
    const { version } = answer.body.model_version;
    const uri = `api/2.0/mlflow/model-versions/get-download-uri?${query({ name, version })}`;
    const where = await this.#get<{ artifact_uri: string }>(uri);
    if ('fault' in where)
      throw new ModelFault(`MLflow does not say where ${name} version ${version} lies: ${where.fault}`);
    return { name, version, artifacts: where.body.artifact_uri };
  }

  /** All files of the artifact. */
  async list({ artifacts }: RegisteredVersion): Promise<ListedFile[]> {
    if (artifacts.startsWith('file:')) return await listFolder(fileURLToPath(artifacts));
    const files: ListedFile[] = [];
    const folders = [''];
    for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
      const answer = await this.#get<{ files?: { path: string; is_dir: boolean; file_size?: number | string }[] }>(
        `api/2.0/mlflow-artifacts/artifacts?${query({ path: join(rootOf(artifacts), folder) })}`,
      );
      if ('fault' in answer) throw new ModelFault(`MLflow does not list its artifacts: ${answer.fault}`);
      for (const { path, is_dir, file_size } of answer.body.files ?? []) {
        const place = folder === '' ? path : `${folder}/${path.split('/').at(-1)}`;
        if (is_dir) folders.push(place);
        else files.push({ path: place, bytes: Number(file_size ?? 0) });
      }
      if (files.length + folders.length > filesMax)
        throw new ModelFault(`The artifact has more than ${filesMax} files.`);
    }
    return files;
  }

  async open({ artifacts }: RegisteredVersion, path: string, signal: AbortSignal): Promise<ReadableStream> {
    const at = join(rootOf(artifacts), path).split('/').map(encodeURIComponent).join('/');
    const response = await this.#fetch(`api/2.0/mlflow-artifacts/artifacts/${at}`, signal);
    if (!response.ok || !response.body) throw new ModelFault(`MLflow answered ${response.status} for ${path}.`);
    return response.body;
  }

  async #absent(
    name: string,
    { version, alias }: { version?: string; alias?: string },
    fault: string,
  ): Promise<ModelFault> {
    const wish = version === undefined ? `alias "${alias}"` : `version ${version}`;
    const known = await this.#get<{ registered_models?: { name: string; latest_versions?: { version: string }[] }[] }>(
      `api/2.0/mlflow/registered-models/search?${query({ max_results: String(namesMax) })}`,
    );
    if ('fault' in known) return new ModelFault(`MLflow has no ${wish} of ${name}: ${fault}`);
    const models = known.body.registered_models ?? [];
    const model = models.find((other) => other.name === name);
    if (model) {
      const latest = model.latest_versions?.map((other) => other.version).join(', ') || 'none';
      return new ModelFault(`MLflow has no ${wish} of ${name}; its latest version: ${latest}.`, {
        fix: `npm run models -- pull models:/${name}/${latest.split(', ')[0]}`,
      });
    }
    const names = models.map((other) => other.name);
    const nearest = nearestMatch(name, names);
    const hint = nearest === null ? `It has ${names.slice(0, 8).join(', ') || 'none'}.` : `Did you mean "${nearest}"?`;
    return new ModelFault(`MLflow has no model "${name}". ${hint}`);
  }

  async #get<T>(path: string): Promise<{ readonly body: T } | { readonly fault: string }> {
    const response = await this.#fetch(path, AbortSignal.timeout(answerMs));
    const text = await response.text();
    if (response.status === 401 || response.status === 403) {
      throw new ModelFault(
        `MLflow answered ${response.status}. Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.`,
      );
    }
    try {
      const body = JSON.parse(text) as T & { message?: string };
      return response.ok ? { body } : { fault: body.message ?? `status ${response.status}` };
    } catch {
      throw new ModelFault(`${this.#origin} answered ${response.status} and no JSON: it is no MLflow server.`);
    }
  }

  async #fetch(path: string, signal: AbortSignal): Promise<Response> {
    try {
      return await fetch(`${this.#origin}/${path}`, { headers: this.#headers, signal });
    } catch (error) {
      const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
      throw new ModelFault(`${this.#origin} does not answer (${cause}). MLFLOW_TRACKING_URI names it.`, {
        cause: error,
      });
    }
  }
}

function authorization(env: Environment): Record<string, string> {
  const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password } = env;
  if (token) return { Authorization: `Bearer ${token}` };
  if (!user) return {};
  return { Authorization: `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}` };
}

function query(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString();
}

/** `mlflow-artifacts:/1/models/m-1/artifacts`, with or without a host. */
function rootOf(artifacts: string): string {
  const [, path] = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.*)$/.exec(artifacts) ?? [];
  if (path !== undefined) return path;
  throw new ModelFault(
    `Its files are at ${artifacts}, which MLflow does not hand out. Start the server with --serve-artifacts (its default).`,
  );
}

async function listFolder(folder: string): Promise<ListedFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return await Promise.all(
    paths.map(async (path) => ({ path: relative(folder, path), bytes: (await stat(path)).size })),
  );
}
