import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type FilterName, filterOf, resample } from './resample.ts';

/** Made with Pillow 11.3 (13 takes columns first where rows grow): a 9 x 7 image of noise, resized both ways by every filter. */
const reference = JSON.parse(readFileSync(join(import.meta.dirname, 'resample.reference.json'), 'utf8')) as {
  source: number[];
  cases: [FilterName, number, number, number[]][];
};

describe('resampling', () => {
  const image = { data: Uint8ClampedArray.from(reference.source), width: 9, height: 7 };
  for (const [filter, width, height, expected] of reference.cases) {
    it(`gives Pillow's bytes (${filter}, ${width} x ${height})`, () => {
      const resized = resample(image, { width, height }, filter);
      assert.deepEqual([resized.width, resized.height], [width, height]);
      assert.deepEqual([...resized.data], expected);
    });
  }

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
