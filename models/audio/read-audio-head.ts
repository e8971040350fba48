/**
 * The first bytes of a recording, for sniffing: what stands behind an ID3v2 tag, which is as large as the cover
 * picture in it (107 KB in one of the samples) and would hide FLAC and AAC behind the looks of MP3.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { id3TagBytes, sniffBytes } from './sniff-audio.ts';

export interface AudioHead {
  /** Up to `sniffBytes` from the sound's own first byte on. */
  readonly head: Uint8Array;
  /** From there to the end of the file. */
  readonly bytes: number;
  readonly isTagged: boolean;
}

export async function readAudioHead(path: string): Promise<AudioHead> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = await readAt(file, 0, size);
    const tagBytes = id3TagBytes(start);
    if (tagBytes === 0) return { head: start, bytes: size, isTagged: false };
    return { head: await readAt(file, tagBytes, size), bytes: Math.max(0, size - tagBytes), isTagged: true };
  } finally {
    await file.close();
  }
}

/** The same of a file that is in memory. */
export function audioHeadOf(file: Uint8Array): AudioHead {
  const tagBytes = id3TagBytes(file.subarray(0, sniffBytes));
  const sound = file.subarray(tagBytes);
  return { head: sound.subarray(0, sniffBytes), bytes: sound.length, isTagged: tagBytes > 0 };
}

async function readAt(file: FileHandle, position: number, size: number): Promise<Uint8Array> {
  const length = Math.max(0, Math.min(size - position, sniffBytes));
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
