/**
 * Tells image kinds apart by their first bytes and counts the frames of an APNG (which libvips does not see). Never
 * trusts a name or a declared type. Pure: sees bytes, opens nothing.
 */

export interface ImageKind {
  readonly type: 'image/jpeg' | 'image/png' | 'image/webp' | 'image/gif' | 'image/tiff' | 'image/avif';
}

export const imageKindsInWords = 'JPEG, PNG, WebP, GIF, TIFF or AVIF';

/** The kind, or null for anything that is not read here (HEIC, BMP, PDF, ...). SVG is a program, not a picture. */
export function sniffImage(head: Uint8Array): ImageKind | null {
  const tag = (at: number, length: number) => Buffer.from(head.subarray(at, at + length)).toString('latin1');
  if (tag(0, 3) === '\xff\xd8\xff') return { type: 'image/jpeg' };
  if (tag(0, 8) === '\x89PNG\r\n\x1a\n') return { type: 'image/png' };
  if (tag(0, 4) === 'RIFF' && tag(8, 4) === 'WEBP') return { type: 'image/webp' };
  if (/^GIF8[79]a/.test(tag(0, 6))) return { type: 'image/gif' };
  if (/^(II[*+]\0|MM\0[*+])/.test(tag(0, 4))) return { type: 'image/tiff' };
  if (tag(4, 4) === 'ftyp' && /^avi[fs]/.test(tag(8, 4))) return { type: 'image/avif' };
  return null;
}

/** Frames an APNG announces (its acTL chunk must come before the picture data); 1 for a plain PNG. */
export function countPngFrames(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = 8; at + 12 <= head.byteLength; ) {
    const length = view.getUint32(at);
    const kind = view.getUint32(at + 4);
    if (kind === 0x6163544c) return view.getUint32(at + 8); // acTL
    if (kind === 0x49444154) return 1; // IDAT
    at += 12 + length;
  }
  return 1;
}
