import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Bitmap } from '../images/bitmap.ts';
import { resample } from '../images/resample.ts';
import type { FilterName } from '../images/resampling-filters.ts';

type Sides = readonly [width: number, height: number];

/** Made by reference/resampling.py. */
const reference = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/resampling.json'), 'utf8')) as {
  versions: string;
  cases: [mode: 'gray' | 'rgb', filter: FilterName, source: Sides, target: Sides, sha256: string][];
};

/** The same formula stands in reference/resampling.py. */
function picture([width, height]: Sides, channels: 1 | 3): Bitmap {
  const data = new Uint8ClampedArray(width * height * channels);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) data[at++] = (x * x * 3 + y * 7 * (x + 1) + c * 53 + ((x * y) >> 2)) & 255;
  return { data, width, height, channels };
}

describe(`resizing (${reference.versions})`, () => {
  const sizes = Map.groupBy(
    reference.cases,
    ([, , source, target]) => `${source.join(' x ')} to ${target.join(' x ')}`,
  );
  for (const [size, cases] of sizes) {
    it(`gives Pillow's bytes in gray and RGB by every filter, ${size}`, () => {
      for (const [mode, filter, source, [width, height], sha256] of cases) {
        const resized = resample(picture(source, mode === 'gray' ? 1 : 3), { width, height }, filter);
        assert.equal(createHash('sha256').update(resized.data).digest('hex'), sha256, `${mode}, ${filter}`);
      }
    });
  }
});
