import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Piscina } from 'piscina';
import { assetsFolder, skipWithoutAssets } from '../parity/assets.ts';
import type { ModelFiles } from '../repository/model-files.ts';
import { scanRepository } from '../repository/scan-repository.ts';
import { abortItem, newItemState } from './item-state.ts';
import { prepareItem, rowBuffers } from './prepare-item.ts';
import type { PreparationResult, PreparationTask } from './prepare-thread.ts';

describe('preparing in a thread', { skip: skipWithoutAssets() }, () => {
  let pool: Piscina<PreparationTask, PreparationResult>;
  let models: readonly ModelFiles[];
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'prepare-'));
    pool = new Piscina({ filename: join(import.meta.dirname, 'prepare-thread.ts'), minThreads: 1, maxThreads: 1 });
    const directories = [
      join(assetsFolder, 'models'),
      join(assetsFolder, 'models', 'imagenet'),
      join(import.meta.dirname, '..', 'zoo'),
    ];
    ({ models } = await scanRepository(directories));
  });
  after(async () => {
    await pool.destroy();
    await rm(folder, { recursive: true });
  });
  const find = (task: string) => {
    const files = models.find((model) => model.task === task);
    assert.ok(files, `a model for ${task}`);
    return files;
  };

  it('gives the rows that the event loop would give', async () => {
    const item = {
      files: find('feature-extraction'),
      source: { kind: 'text', text: 'A man is eating food.' },
      parameters: {},
    } as const;
    assert.deepEqual(await pool.run(item), { rows: await prepareItem(item) });
  });

  it('moves the pixels of an image', async () => {
    const path = join(assetsFolder, 'images', 'imagenet-fish', 'n01440764_tench.JPEG');
    const result = await pool.run({
      files: find('image-classification'),
      source: { kind: 'file', path, type: 'image/jpeg' },
      parameters: {},
    });
    assert.ok('rows' in result);
    assert.deepEqual(result.rows[0]?.tensors['pixel_values']?.dims, [3, 224, 224]);
    assert.equal(rowBuffers(result.rows).length, 1);
  });

  it('gives a fault of the input as data', async () => {
    const result = await pool.run({
      files: find('feature-extraction'),
      source: { kind: 'text', text: 'word '.repeat(999) },
      parameters: {},
    });
    assert.ok('problem' in result);
    assert.equal(result.problem.type, '/problems/input-too-long');
  });

  it('aborts one item and keeps the thread', async (context) => {
    if (!models.some((model) => model.task === 'automatic-speech-recognition')) return context.skip('no speech model');
    const path = join(folder, 'long.flac');
    await promisify(execFile)('ffmpeg', [
      '-v',
      'error',
      '-y',
      '-nostdin',
      '-f',
      'lavfi',
      '-i',
      'anoisesrc=r=48000:d=600',
      path,
    ]);
    const state = newItemState();
    const files = { ...find('automatic-speech-recognition'), limits: { audioSecondsMax: 3600 } };
    const item = { files, source: { kind: 'file', path, type: 'audio/flac' }, parameters: {}, state } as const;
    const running = pool.run(item);
    setTimeout(() => abortItem(state), 100);
    assert.deepEqual(await running, { aborted: true });
    assert.equal(pool.threads.length, 1);
  });
});
