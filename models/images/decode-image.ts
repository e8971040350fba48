/**
 * The one door to sharp: header facts, and decoding to 8-bit gray or RGB. Locked down: only the loaders that are offered, a
 * pixel limit checked before decoding, one libvips thread (preparation threads are the parallelism), no cache.
 */
import { readFileSync } from 'node:fs';
import sharp, { type Metadata } from 'sharp';
import { Problem } from '../../shared/problems/problem.ts';
import { freeMemory } from '../free-memory.ts';
import type { Bitmap } from './bitmap.ts';
import { coloursOf, type PictureColours } from './picture-colours.ts';

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

/** Width, height and frames from the header alone; throws `corrupt-image`. */
export async function readImageHeader(file: string | Uint8Array): Promise<ImageHeader> {
  return headerOf(await readMetadata(file));
}

const headerOf = ({ width, height, pages }: Metadata): ImageHeader => ({ width, height, frames: pages ?? 1 });

async function readMetadata(file: string | Uint8Array): Promise<Metadata> {
  try {
    return await sharp(file, { limitInputPixels: false }).metadata();
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
 * First frame, upright (EXIF), 8-bit, alpha laid on white as browsers show it; one channel where the file is gray. A colour
 * profile is not applied, save to CMYK: Pillow gives the bytes as they stand, models were trained on those, and one of the
 * test photos would differ by up to 91 of 255. Throws `corrupt-image` also for a file that ends early: half a picture would
 * be classified as if it were whole.
 */
export async function decodeImage(path: string, pixelsMax = imagePixelsMax): Promise<Bitmap> {
  // At once: these threads prepare one item each, and waiting for three turns of the loop took 0.18 ms of CPU.
  const file = readFileSync(path);
  try {
    return await decode(file, coloursOf(file) ?? (await askColours(file, pixelsMax)), pixelsMax);
  } finally {
    freeMemory(file);
  }
}

async function askColours(file: Uint8Array, pixelsMax: number): Promise<PictureColours> {
  const metadata = await readMetadata(file);
  checkImageHeader(headerOf(metadata), pixelsMax);
  return metadata.space === 'cmyk' ? 'cmyk' : 'rgb';
}

async function decode(file: Uint8Array, colours: PictureColours, pixelsMax: number): Promise<Bitmap> {
  const limits = { limitInputPixels: pixelsMax, failOn: 'truncated', pages: 1 } as const;
  try {
    const { data, info } = await sharp(file, { ...limits, ignoreIcc: colours !== 'cmyk' })
      // 24 MP take 0.3 s; a file that needs 30 s is built to.
      .timeout({ seconds: 30 })
      .rotate()
      .toColourspace(colours === 'gray' ? 'b-w' : 'srgb')
      .flatten({ background: '#ffffff' })
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (channels !== 1 && channels !== 3) throw new Error(`${channels} channels after decoding`);
    return { data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.byteLength), width, height, channels };
  } catch (error) {
    // libvips' own limit comes before decoding as well, but tells neither sides nor limit.
    checkImageHeader(headerOf(await readMetadata(file)), pixelsMax);
    throw corrupt(error);
  }
}

/** libvips names paths in its errors: none of its text is passed on. */
function corrupt(error: unknown): Problem {
  return new Problem('corrupt-image', 'The image can not be decoded: it is damaged or ends early.', { cause: error });
}
