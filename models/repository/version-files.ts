/**
 * Reads what pipelines need of a version folder: JSON files, the graph's path and signature, labels. The one place
 * that knows the layout below a version folder.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dtype, dtypeSuffixes } from './dtypes.ts';
import type { ModelFiles } from './model-files.ts';
import { type GraphSignature, readGraphSignature } from './read-graph.ts';

export type Json = Readonly<Record<string, unknown>>;

/** Path of a graph relative to the version folder, as `Pipeline.sessions` wants it. */
export function graphFile(files: ModelFiles, name = 'model'): string {
  return `onnx/${name}${dtypeSuffixes[files.dtype as Dtype] ?? ''}.onnx`;
}

export function graphSignature(files: ModelFiles, name = 'model'): GraphSignature {
  return readGraphSignature(join(files.versionFolder, graphFile(files, name)));
}

/** A JSON file of the version folder; null when it is not there. */
export async function readJson(files: ModelFiles, name: string): Promise<Json | null> {
  let text: string;
  try {
    text = await readFile(join(files.versionFolder, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return JSON.parse(text) as Json;
}

export async function readConfig(files: ModelFiles): Promise<Json> {
  const config = await readJson(files, 'config.json');
  if (!config) throw new Error(`Model ${files.id}: no config.json in version ${files.version}.`);
  return config;
}

/** Names of the classes by index, from `id2label`. */
export function readLabels(config: Json): string[] {
  const table = (config['id2label'] ?? {}) as Readonly<Record<string, unknown>>;
  const count = Object.keys(table).reduce((most, key) => Math.max(most, Number(key) + 1), 0);
  return Array.from({ length: count }, (_, index) => String(table[index] ?? `LABEL_${index}`));
}
