import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Bitmap } from '../images/bitmap.ts';
import { decodeImage } from '../images/decode-image.ts';
import { processImage } from '../images/image-processor.ts';
import { makePixelScale, scalePixels } from '../images/pixel-scale.ts';
import { readProcessorPlan } from '../images/processor-plan.ts';
import type { Json } from '../repository/version-files.ts';
import { assetsFolder, skipWithoutAssets } from './assets.ts';

interface Pixels {
  readonly dims: readonly number[];
  readonly sha256: string;
  readonly first: readonly number[];
}

/** Made by reference/image_processors.py with transformers' processors on Pillow and numpy. */
const reference = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/image-processors.json'), 'utf8')) as {
  versions: string;
  cases: { given: Json; saved: Json; pictures: (Pixels & { size: [number, number] })[] }[];
  photos: ({ given: Json; photo: string } & Pixels)[];
};

/** The same formula stands in reference/image_processors.py. */
function picture(width: number, height: number): Bitmap {
  const data = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        data[(y * width + x) * 3 + c] = (x * x * 3 + y * 7 * (x + 1) + c * 53 + ((x * y) >> 2)) & 255;
  return { data, width, height, channels: 3 };
}

function pixelsOf(image: Bitmap, file: Json): Pixels {
  const plan = readProcessorPlan(file);
  const { dims, data } = processImage(image, plan);
  const floats = new Float32Array(data.length);
  scalePixels(data, makePixelScale(plan.scale), floats, 0);
  const first = [...floats.subarray(0, 3)].map((value) => Math.round(value * 1e5) / 1e5);
  return { dims, sha256: createHash('sha256').update(new Uint8Array(floats.buffer)).digest('hex'), first };
}

/** Donut's second resize shrinks a strip of 14 to 1 in steps (Pillow's `reducing_gap`), which is not done here. */
const isStrip = (file: Json, [width]: readonly number[]) =>
  file['image_processor_type'] === 'DonutImageProcessor' && file['do_thumbnail'] !== false && width === 130;

describe(`image processors (${reference.versions})`, () => {
  for (const { given, saved, pictures } of reference.cases) {
    const { image_processor_type: name, ...rest } = given;
    it(`gives the pixels of ${name} to the last bit: ${JSON.stringify(rest)}`, () => {
      for (const { size, dims, sha256, first } of pictures) {
        // As a file that leaves the defaults out, and as one that writes them.
        for (const file of [given, saved]) {
          const pixels = pixelsOf(picture(...size), file);
          if (isStrip(given, size)) assert.deepEqual(pixels.dims, dims);
          else assert.deepEqual(pixels, { dims, sha256, first });
        }
      }
    });
  }

  it('gives the pixels of every photo to the last bit', { skip: skipWithoutAssets() }, async (t) => {
    for (const { given, photo, dims, sha256, first } of reference.photos) {
      const image = await decodeImage(join(assetsFolder, 'images', photo));
      assert.deepEqual(pixelsOf(image, given), { dims, sha256, first }, `${photo} ${JSON.stringify(given)}`);
    }
    t.diagnostic(`${reference.photos.length} times a photo and a processor`);
  });
});
