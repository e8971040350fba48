/**
 * The model's folder as servers of others want it: configuration, tokenizer and one graph, `model.onnx`, at the root. Of two
 * graphs Infinity would take the quantised one, and its optimum finds none in a folder below. Links, in a temporary folder.
 */
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelFiles } from '../../../models/repository/model-files.ts';
import { graphFile } from '../../../models/repository/version-files.ts';

export interface LinkedModel {
  readonly folder: string;
  remove(): void;
}

export function linkModel(files: ModelFiles): LinkedModel {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-peer-'));
  for (const entry of readdirSync(files.versionFolder))
    if (entry !== 'onnx') symlinkSync(join(files.versionFolder, entry), join(folder, entry));
  symlinkSync(join(files.versionFolder, graphFile(files)), join(folder, 'model.onnx'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
