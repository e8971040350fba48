/**
 * What the API asks of a file before it answers 202: not empty, of a kind that is read here whatever its name says, and
 * within bounds as far as the header tells. Reads at most 64 KB; decodes nothing. What only decoding can find fails the
 * item later, with the same slugs.
 */
import { open, stat } from 'node:fs/promises';
import { Problem } from '../../shared/problems/problem.ts';
import { type AudioHead, audioHeadOf, readAudioHead } from '../audio/read-audio-head.ts';
import { audioKindsInWords, isPlaylist, readAudioHeader, sniffAudio, sniffBytes } from '../audio/sniff-audio.ts';
import { readJpegHeader } from '../images/jpeg-header.ts';
import { countPngFrames, imageKindsInWords, sniffImage } from '../images/sniff-image.ts';
import { nameContent } from './name-content.ts';

export interface MediaLimits {
  readonly imagePixelsMax?: number;
  readonly audioSecondsMax?: number;
}

/** Surround sound has 8; what says more is a container bomb. */
const audioChannelsMax = 16;

/** `length` is seconds of sound or pixels of a frame, as far as the header tells. */
export interface MediaLook {
  readonly type: string;
  readonly length: number | null;
}

/** A file by its path, or what is in one. Throws Problem; no detail names the path. */
export async function inspectMedia(
  kind: 'audio' | 'image',
  file: string | Uint8Array,
  limits: MediaLimits = {},
): Promise<MediaLook> {
  const bytes = typeof file === 'string' ? (await stat(file)).size : file.length;
  if (bytes === 0) throw new Problem('empty-file', 'The file has no bytes. Send it again.');
  if (kind === 'audio')
    return inspectAudio(typeof file === 'string' ? await readAudioHead(file) : audioHeadOf(file), limits);
  return await inspectImage(
    typeof file === 'string' ? await readHead(file) : file.subarray(0, sniffBytes),
    file,
    limits,
  );
}

function inspectAudio({ head, bytes, isTagged }: AudioHead, limits: MediaLimits): MediaLook {
  if (isPlaylist(head)) throw new Problem('corrupt-audio', 'The file is a playlist, not sound. Send the sound itself.');
  const kind = sniffAudio(head, isTagged);
  if (!kind) throw new Problem('unsupported-file-type', unreadable(head, 'audio', audioKindsInWords));
  const header = readAudioHeader(head, kind, bytes);
  if (header) checkAudioHeader(header.seconds, header.channels, limits);
  return { type: kind.type, length: header ? Math.round(header.seconds * 100) / 100 : null };
}

function checkAudioHeader(seconds: number, channels: number, limits: MediaLimits): void {
  if (seconds === 0) throw new Problem('corrupt-audio', 'The recording holds no samples. Send it again.');
  const secondsMax = limits.audioSecondsMax ?? Number.POSITIVE_INFINITY;
  if (seconds > secondsMax) {
    const detail = `The recording lasts ${seconds.toFixed(1)} s; at most ${secondsMax} s are taken. Cut it into pieces.`;
    throw new Problem('audio-too-long', detail);
  }
  if (channels > audioChannelsMax) {
    const detail = `The recording has ${channels} channels; at most ${audioChannelsMax} are read. Mix it down to one.`;
    throw new Problem('audio-too-long', detail);
  }
}

async function inspectImage(head: Uint8Array, file: string | Uint8Array, limits: MediaLimits): Promise<MediaLook> {
  const kind = sniffImage(head);
  if (!kind) throw new Problem('unsupported-file-type', unreadable(head, 'an image', imageKindsInWords));
  // Loaded late: an API that serves text only never pays libvips' 20 MB.
  const { checkImageHeader, readImageHeader } = await import('../images/decode-image.ts');
  const plain = readJpegHeader(head);
  const { width, height, frames } = plain ? { ...plain, frames: 1 } : await readImageHeader(file);
  const shown = kind.type === 'image/png' ? countPngFrames(head) : frames;
  checkImageHeader({ width, height, frames: shown }, limits.imagePixelsMax);
  return { type: kind.type, length: width * height };
}

function unreadable(head: Uint8Array, wanted: string, kindsInWords: string): string {
  const found = nameContent(head);
  const got = found === null || found === wanted ? 'is not' : `is ${found}, not`;
  return `The content ${got} ${wanted} that is read here. Send ${kindsInWords}.`;
}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(sniffBytes), 0, sniffBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
