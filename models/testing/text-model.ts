/**
 * A text model for tests of pipelines: a real tokeniser and config around a graph that has names and no weights. Tests
 * make up what the graph would answer.
 */
import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assetsFolder } from '../parity/assets.ts';
import type { ModelFiles } from '../repository/model-files.ts';
import { scanRepository } from '../repository/scan-repository.ts';
import { message } from './onnx-bytes.ts';

export interface TextModelWish {
  /** A folder of the assets with tokenizer.json. */
  readonly tokenizer: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly output: string;
  readonly inputs?: readonly string[];
  /** Further files by name. */
  readonly files?: Readonly<Record<string, unknown>>;
}

/** An input (field 11 of a graph) or output (12) by its name alone. */
const named = (field: number) => (name: string) => [field, message([1, name])] as const;

/** Lays the model into `folder` and reads it back, as the repository does. */
export async function layTextModel(folder: string, wish: TextModelWish): Promise<ModelFiles> {
  const model = join(folder, 'model');
  await mkdir(join(model, 'onnx'), { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    await cp(join(assetsFolder, wish.tokenizer, name), join(model, name));
  const inputs = wish.inputs ?? ['input_ids', 'attention_mask', 'token_type_ids'];
  await writeFile(
    join(model, 'onnx', 'model.onnx'),
    message([7, message(...inputs.map(named(11)), named(12)(wish.output))]),
  );
  for (const [name, value] of Object.entries({ 'config.json': wish.config, ...wish.files })) {
    await mkdir(join(model, name, '..'), { recursive: true });
    await writeFile(join(model, name), JSON.stringify(value));
  }
  const { models, broken } = await scanRepository([folder]);
  const [files] = models;
  assert.ok(files, broken[0]?.reason);
  return files;
}
