/**
 * The one door to sharp: header facts, and decoding to 8-bit RGB. Locked down: only the loaders that are offered, a
 * pixel limit checked before decoding, one libvips thread (preparation threads are the parallelism), no cache.
 */
import sharp from 'sharp';
import { Problem } from '../../shared/problems/problem.ts';
import type { Bitmap } from './bitmap.ts';

/** 24 MP: 72 MB as RGB, twice a phone's photo; sharp alone would take 268 MP. */
export const imagePixelsMax = 24_000_000;
/** Only the first frame is decoded, but walking thousands of frame headers is already work. */
export const imageFramesMax = 1000;

const loaders = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'];

sharp.cache(false);
sharp.concurrency(1);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: loaders.flatMap((kind) => [`VipsForeignLoad${kind}File`, `VipsForeignLoad${kind}Buffer`]),
});

export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
}

interface ImageFacts extends ImageHeader {
  readonly isCmyk: boolean;
}

/** Width, height and frames from the header alone; throws `corrupt-image`. */
export async function readImageHeader(file: string | Uint8Array): Promise<ImageFacts> {
  try {
    const { width, height, pages, space } = await sharp(file, { limitInputPixels: false }).metadata();
    return { width, height, frames: pages ?? 1, isCmyk: space === 'cmyk' };
  } catch (error) {
    throw corrupt(error);
  }
}

/** Throws `image-too-large` unless the header keeps to the limits. */
export function checkImageHeader(header: ImageHeader, pixelsMax = imagePixelsMax): void {
  const { width, height, frames } = header;
  if (width * height > pixelsMax) {
    const megapixels = (pixelsMax / 1e6).toFixed(1);
    const detail = `The image has ${width} x ${height} pixels; at most ${megapixels} megapixels are decoded. Scale it down.`;
    throw new Problem('image-too-large', detail);
  }
  if (frames > imageFramesMax) {
    throw new Problem('image-too-large', `The animation has ${frames} frames; at most ${imageFramesMax} are accepted.`);
  }
}

/**
 * First frame, upright (EXIF), 8-bit RGB, alpha laid on white as browsers show it. A colour profile is not applied, save
 * to CMYK: Pillow gives the bytes as they stand, models were trained on those, and one of the test photos would differ by
 * up to 91 of 255. Throws `corrupt-image` also for a file that ends early: half a picture would be classified as if it
 * were whole.
 */
export async function decodeImage(path: string, pixelsMax = imagePixelsMax): Promise<Bitmap> {
  const header = await readImageHeader(path);
  checkImageHeader(header, pixelsMax);
  const ignoreIcc = !header.isCmyk;
  try {
    const { data, info } = await sharp(path, { limitInputPixels: pixelsMax, failOn: 'truncated', pages: 1, ignoreIcc })
      // 24 MP take 0.3 s; a file that needs 30 s is built to.
      .timeout({ seconds: 30 })
      .rotate()
      .toColourspace('srgb')
      .flatten({ background: '#ffffff' })
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`${info.channels} channels after decoding`);
    return {
      data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.byteLength),
      width: info.width,
      height: info.height,
      channels: 3,
    };
  } catch (error) {
    throw corrupt(error);
  }
}

/** libvips names paths in its errors: none of its text is passed on. */
function corrupt(error: unknown): Problem {
  return new Problem('corrupt-image', 'The image can not be decoded: it is damaged or ends early.', { cause: error });
}
