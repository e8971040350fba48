import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Problem } from '../../shared/problems/problem.ts';
import { type Bitmap, cut } from './bitmap.ts';
import { resample } from './resample.ts';
import { type FilterName, filterOf, filters } from './resampling-filters.ts';

/** Made with Pillow 11.3 (13 takes columns first where rows grow): a 9 x 7 image of noise, resized both ways by every filter. */
const reference = JSON.parse(readFileSync(join(import.meta.dirname, 'resample.reference.json'), 'utf8')) as {
  source: number[];
  cases: [FilterName, number, number, number[]][];
};

describe('resampling', () => {
  const image = { data: Uint8ClampedArray.from(reference.source), width: 9, height: 7, channels: 3 as const };
  for (const [filter, width, height, expected] of reference.cases) {
    it(`gives Pillow's bytes (${filter}, ${width} x ${height})`, () => {
      const resized = resample(image, { width, height }, filter);
      assert.deepEqual([resized.width, resized.height], [width, height]);
      assert.deepEqual([...resized.data], expected);
    });
  }

  it('computes a window as it would the whole', () => {
    const window = { left: 3, top: 5, width: 7, height: 11 };
    for (const filter of filters) {
      const part = resample(image, { width: 13, height: 17, window }, filter);
      assert.deepEqual(part, cut(resample(image, { width: 13, height: 17 }, filter), window), filter);
    }
  });

  it('gives a thread of its own the same bytes', async () => {
    const name = JSON.stringify(pathToFileURL(join(import.meta.dirname, 'resample.ts')).href);
    const code = `const { parentPort, workerData } = require('node:worker_threads');
      import(${name}).then(({ resample }) => parentPort.postMessage(resample(workerData, { width: 5, height: 4 }, 'bicubic')));`;
    const here = () => resample(image, { width: 5, height: 4 }, 'bicubic');
    const before = here();
    const threads = [1, 2].map(() => new Worker(code, { eval: true, workerData: image }));
    const answers = await Promise.all(threads.map((thread) => once(thread, 'message')));
    for (const [resized] of answers) assert.deepEqual(resized, before);
    assert.deepEqual(here(), before);
  });

  it('shrinks a strip within bounded memory, and refuses one that would need more', () => {
    const strip = (height: number): Bitmap => ({
      data: new Uint8ClampedArray(height).fill(200),
      width: 1,
      height,
      channels: 1,
    });
    const { data } = resample(strip(1_000_000), { width: 224, height: 224 }, 'bilinear');
    assert.ok(data.every((byte) => byte === 200));
    assert.throws(
      () => resample(strip(20_000_000), { width: 224, height: 224 }, 'lanczos'),
      (error) => error instanceof Problem && error.slug === 'image-too-large' && /above 256 MiB/.test(error.detail),
    );
    assert.equal(resample(image, { width: 4, height: 3 }, 'box').width, 4);
  });

  it('knows filters by number and by name', () => {
    assert.deepEqual([0, 1, 2, 3, 'bicubic', undefined].map(filterOf), [
      'nearest',
      'lanczos',
      'bilinear',
      'bicubic',
      'bicubic',
      'bilinear',
    ]);
  });
});
