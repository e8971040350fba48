/**
 * Writes `manifest.yaml` of a model that was fetched, or adds a version to one that is there: what a person wrote in it,
 * comments too, stays as it is. The counterpart of `manifest.ts`, whose schema has the last word.
 */
import { type Document, parseDocument, stringify } from 'yaml';
import type { Dtype } from './dtypes.ts';
import { parseManifest } from './manifest.ts';

export interface FetchedVersion {
  readonly task: string;
  readonly version: string;
  readonly dtype: Dtype;
  /** Where the files are from: `hf:org/name@commit`, `models:/name/3`, a folder. */
  readonly source: string;
  readonly licence: string | null;
  /** sha256 by path relative to the version folder. */
  readonly sha256: ReadonlyMap<string, string>;
}

/** @param before the manifest that is there; empty for a new model. */
export function renderManifest(before: string, fetched: FetchedVersion): string {
  const document = parseDocument(before);
  const isNew = document.contents === null;
  if (isNew) document.contents = document.createNode({}) as never;
  if (isNew) document.set('task', fetched.task);
  if (isNew && fetched.licence !== null) document.set('licence', fetched.licence);
  document.set('dtype', fetched.dtype);
  document.set('source', fetched.source);
  addHashes(document, fetched);
  const text = document.toString({ lineWidth: 120 });
  parseManifest(text);
  return text;
}

export interface UpstreamWords {
  readonly task: string;
  readonly licence: string | null;
  readonly url: string;
  readonly model: string;
  readonly apiKeyEnv: string | undefined;
  readonly maxConcurrency: number | undefined;
}

/** Of a model that a server elsewhere runs. */
export function renderUpstreamManifest({ task, licence, ...words }: UpstreamWords): string {
  const upstream = {
    kind: 'openai-chat',
    url: words.url,
    model: words.model,
    ...(words.apiKeyEnv !== undefined && { api_key_env: words.apiKeyEnv }),
    ...(words.maxConcurrency !== undefined && { max_concurrency: words.maxConcurrency }),
  };
  const text = stringify({ task, ...(licence !== null && { licence }), upstream }, { lineWidth: 120 });
  parseManifest(text);
  return text;
}

function addHashes(document: Document, { version, sha256 }: FetchedVersion): void {
  if (!document.has('files')) document.set('files', document.createNode({}));
  for (const path of [...sha256.keys()].sort()) {
    const entry = document.createNode({ sha256: sha256.get(path) }, { flow: true });
    document.setIn(['files', `${version}/${path}`], entry);
  }
}
