/**
 * The Hugging Face Hub, as far as fetching a model needs it: the one door to @huggingface/hub. Its errors become a
 * ModelFault that says what to do. The library's own snapshot download neither resumes nor checks hashes, and takes all
 * files; so files are listed and opened through it, and written by `fetch-file.ts`.
 */
import { downloadFile, HubApiError, type ListFileEntry, listFiles, listModels, modelInfo } from '@huggingface/hub';
import { ModelFault } from '../../../models/repository/manifest.ts';
import { nearestMatch } from '../../../models/repository/nearest-match.ts';
import type { ListedFile } from '../choose-files.ts';
import type { HubSettings } from './hub-settings.ts';

const answerMs = 30_000;
/** A repository of more is a data set. */
const filesMax = 10_000;
const candidatesMax = 20;

export interface HubModel {
  readonly name: string;
  readonly commit: string;
  readonly task: string | undefined;
  readonly licence: string | null;
}

export interface HubFile extends ListedFile {
  /** Of the content: sha256 for large files, git's own sha1 for small ones. Names the file in the cache, too. */
  readonly digest: string;
}

export class HubClient {
  readonly #settings: HubSettings;

  constructor(settings: HubSettings) {
    if (settings.token !== undefined && !settings.token.startsWith('hf_'))
      throw new ModelFault('HF_TOKEN is no token of the Hub: those begin with hf_.');
    this.#settings = settings;
  }

  async describe(name: string, revision: string): Promise<HubModel> {
    try {
      const info = await modelInfo({
        ...this.#access(),
        name,
        revision,
        additionalFields: ['sha', 'tags', 'cardData'],
      });
      const licence = info.tags?.find((tag) => tag.startsWith('license:'))?.slice('license:'.length);
      return { name: info.name, commit: info.sha, task: info.task, licence: licence ?? null };
    } catch (error) {
      throw await this.#explain(error, name, revision);
    }
  }

  async list({ name, commit }: HubModel): Promise<HubFile[]> {
    const files: HubFile[] = [];
    try {
      for await (const entry of listFiles({ ...this.#access(), repo: name, revision: commit, recursive: true })) {
        if (entry.type === 'file') files.push(toFile(entry));
        if (files.length > filesMax) throw new ModelFault(`${name} has more than ${filesMax} files.`);
      }
    } catch (error) {
      throw await this.#explain(error, name, commit);
    }
    return files;
  }

  /** The content from a byte on. Plain HTTP ranges: they can be resumed by whoever continues a partial file. */
  async open(
    { name, commit }: HubModel,
    file: HubFile,
    fromByte: number,
    signal: AbortSignal,
  ): Promise<ReadableStream> {
    const access = { ...this.#access(signal), repo: name, revision: commit, path: file.path, xet: false };
    const blob = await downloadFile(access).catch(async (error) => {
      throw await this.#explain(error, name, commit);
    });
    if (blob === null) throw new ModelFault(`${name} lists ${file.path}, but the Hub does not have it.`);
    return blob.slice(fromByte, file.bytes).stream();
  }

  #access(signal?: AbortSignal) {
    const { endpoint: hubUrl, token } = this.#settings;
    const guarded: typeof fetch = (input, init) =>
      fetch(input, { ...init, signal: signal ?? AbortSignal.timeout(answerMs) });
    return { hubUrl, fetch: guarded, ...(token !== undefined && { accessToken: token }) };
  }

  async #explain(error: unknown, name: string, revision: string): Promise<Error> {
    const { endpoint, token } = this.#settings;
    if (error instanceof ModelFault) return error;
    if (!(error instanceof HubApiError)) {
      const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
      return new ModelFault(`${endpoint} does not answer (${cause}). HF_ENDPOINT names a mirror.`, { cause: error });
    }
    const { statusCode: status } = error;
    const nearest = status === 404 || status === 401 ? await this.#nearest(name) : null;
    const hint = nearest === null ? '' : ` Did you mean ${nearest}?`;
    const fix = nearest === null ? null : `npm run models -- pull ${nearest}`;
    if (status === 404)
      return new ModelFault(`The Hub has no model ${name} at revision "${revision}".${hint}`, { fix });
    if (status === 401 || status === 403) {
      const tried = token === undefined ? 'no token is set' : 'the token that is set does not open it';
      return new ModelFault(
        `The Hub does not show ${name} (${status}): it is private, gated or not there, and ${tried}.${hint} ` +
          `Accept its terms at ${endpoint}/${name} and set HF_TOKEN.`,
        { fix },
      );
    }
    return new ModelFault(`The Hub answered ${status} for ${name}: ${error.message.slice(0, 200)}. Try again later.`, {
      cause: error,
    });
  }

  /** Among what the Hub finds by the name's last part, then among its owner's, then by the first word of it. */
  async #nearest(name: string): Promise<string | null> {
    const [owner = '', title = name] = name.split('/');
    const [word = title] = title.split(/[-_.]/);
    let first: string | undefined;
    for (const search of [{ query: title }, { owner }, { query: word }] as const) {
      const found = await this.#search(search);
      const nearest = nearestMatch(name, found);
      if (nearest !== null) return nearest;
      first ??= found[0];
    }
    return first ?? null;
  }

  async #search(search: { query: string } | { owner: string }): Promise<string[]> {
    const found: string[] = [];
    try {
      for await (const model of listModels({ ...this.#access(), search, limit: candidatesMax })) found.push(model.name);
    } catch {
      // A hint is all that is lost.
    }
    return found;
  }
}

function toFile({ path, size, lfs, oid }: ListFileEntry): HubFile {
  return { path, bytes: lfs?.size ?? size, digest: lfs?.oid ?? oid ?? '' };
}
