import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ModelFiles } from './model-files.ts';
import { verifyFiles } from './verify-files.ts';

describe('verifying model files', () => {
  let root: string;
  let files: ModelFiles;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'verify-'));
    const folder = join(root, 'model');
    await mkdir(join(folder, '1', 'onnx'), { recursive: true });
    await writeFile(join(folder, '1', 'onnx', 'model.onnx'), 'graph');
    await writeFile(join(root, 'outside'), 'secret');
    files = {
      id: 'model',
      task: 'token-classification',
      version: '1',
      isDefault: false,
      description: '',
      licence: null,
      dtype: 'fp32',
      folder,
      versionFolder: join(folder, '1'),
      limits: {},
      parameters: {},
      samples: [],
      sha256: {},
    };
  });
  afterEach(() => rm(root, { recursive: true }));

  const withHash = (sha256: string): ModelFiles => ({ ...files, sha256: { '1/onnx/model.onnx': sha256 } });

  it('passes a file whose sha256 is right and refuses another', async () => {
    await verifyFiles(withHash(createHash('sha256').update('graph').digest('hex')));
    await assert.rejects(
      verifyFiles(withHash('0'.repeat(64))),
      /1\/onnx\/model\.onnx has sha256 .*Fetch the file again/,
    );
  });

  it('refuses external data behind a link that leads outside', async () => {
    await symlink(join(root, 'outside'), join(files.versionFolder, 'onnx', 'model.onnx_data'));
    await assert.rejects(verifyFiles(files), /model\.onnx_data leads outside/);
  });

  it('refuses a graph that names external data outside, also across a chunk border', async () => {
    const graph = (location: string, padding: number) =>
      Buffer.concat([
        Buffer.alloc(padding, 1),
        Buffer.from(`\x0a\x08location\x12${String.fromCharCode(location.length)}${location}`),
      ]);
    const path = join(files.versionFolder, 'onnx', 'model.onnx');
    for (const padding of [0, (1 << 20) - 6, (1 << 20) - 16]) {
      await writeFile(path, graph('../../etc/passwd', padding));
      await assert.rejects(verifyFiles(files), /external data outside/, `padding ${padding}`);
      await writeFile(path, graph('model.onnx_data', padding));
      await verifyFiles(files);
    }
  });
});
