import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { modelFiles } from '../testing/model-files.ts';
import { node, onnxModel, outsideTensor } from '../testing/onnx-bytes.ts';
import type { ModelFiles } from './model-files.ts';
import { verifyFiles } from './verify-files.ts';

describe('verifying model files', () => {
  let root: string;
  let onnx: string;
  let files: ModelFiles;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'verify-'));
    const folder = join(root, 'model');
    onnx = join(folder, '1', 'onnx');
    await mkdir(onnx, { recursive: true });
    await writeFile(join(onnx, 'model.onnx'), onnxModel());
    await writeFile(join(root, 'outside'), 'secret');
    files = modelFiles({ folder, versionFolder: join(folder, '1') });
  });
  afterEach(() => rm(root, { recursive: true }));

  const withHash = (sha256: string): ModelFiles => ({ ...files, sha256: { '1/onnx/model.onnx': sha256 } });
  const layGraph = (tensor: string) =>
    writeFile(join(onnx, 'model.onnx'), onnxModel({ graph: [[5, outsideTensor(tensor)]] }));

  it('passes a file whose sha256 is right and refuses another, and one that is not there', async () => {
    await verifyFiles(withHash(createHash('sha256').update(onnxModel()).digest('hex')));
    await assert.rejects(
      verifyFiles(withHash('0'.repeat(64))),
      /1\/onnx\/model\.onnx has sha256 .*Fetch the file again/,
    );
    await assert.rejects(
      verifyFiles({ ...files, sha256: { '1/gone': '0'.repeat(64) } }),
      /1\/gone, listed .*can not be read/,
    );
  });

  it('refuses external data behind a link that leads outside', async () => {
    await symlink(join(root, 'outside'), join(onnx, 'model.onnx_data'));
    await assert.rejects(verifyFiles(files), /model\.onnx_data leads outside/);
  });

  it('refuses a graph that names external data outside its folder, however it writes the path', async () => {
    const long = `${'deep/'.repeat(40)}../../etc/passwd`;
    for (const location of [
      '../../outside',
      '/etc/passwd',
      'C:\\secret',
      'a\\..\\..\\b',
      `/${'x'.repeat(200)}`,
      long,
    ]) {
      await layGraph(location);
      await assert.rejects(verifyFiles(files), /external data outside its folder/, location);
    }
    await layGraph('model.onnx_data');
    await writeFile(join(onnx, 'model.onnx_data'), 'four');
    await verifyFiles(files);
  });

  it('says which external data are missing, and what was probably meant', async () => {
    await layGraph('model.onnx_data');
    await writeFile(join(onnx, 'model.onnx-data'), 'four');
    await assert.rejects(
      verifyFiles(files),
      /in "model\.onnx_data", which is not beside it; did you mean "model\.onnx-data"\?/,
    );
  });

  it('refuses operators of somebody else unless the manifest allows their domain', async () => {
    await writeFile(
      join(onnx, 'model.onnx'),
      onnxModel({
        graph: [
          [1, node('Steal', 'evil.ops')],
          [1, node('Gelu', 'com.microsoft')],
        ],
      }),
    );
    await assert.rejects(verifyFiles(files), /custom operator evil\.ops\.Steal.*custom_op_domains: \[evil\.ops\]/);
    await verifyFiles({ ...files, customOpDomains: ['evil.ops'] });
  });

  it('refuses a pointer where the graph should be, and minds none of another dtype', async () => {
    await writeFile(join(onnx, 'model_fp16.onnx'), 'version https://git-lfs.github.com/spec/v1');
    await verifyFiles(files);
    await assert.rejects(
      verifyFiles({ ...files, dtype: 'fp16' }),
      /model_fp16\.onnx is not an ONNX file.*Git LFS pointer/,
    );
  });
});
