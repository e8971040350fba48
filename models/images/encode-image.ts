/**
 * Pixels to a small file again, for a server that takes pictures as files. It gets what was decoded here, never a caller's
 * bytes: no metadata, no second frame, nothing that only its own decoder would find.
 */
import sharp from 'sharp';
import type { Bitmap } from './bitmap.ts';

/** At 90, colours unthinned, text of 8 pixels stays as readable as in the picture; a page is some 0.3 MB. */
const jpegQuality = 90;

/** Never enlarged; the longest side becomes `sideMax` at most. */
export async function encodeJpeg({ data, width, height, channels }: Bitmap, sideMax: number): Promise<Uint8Array> {
  const file = await sharp(data, { raw: { width, height, channels } })
    .resize({ width: sideMax, height: sideMax, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: jpegQuality, chromaSubsampling: '4:4:4' })
    .toBuffer();
  // Copied: sharp's own memory can not be moved to another thread, as rows are.
  return new Uint8Array(file);
}
