/**
 * Short, plain WAV (16-bit PCM, one channel), read here: for half a second of speech an ffmpeg costs 60 ms of CPU to
 * start and the reading under 1. Whatever is odd about a file is left to ffmpeg, errors included.
 */
import { open } from 'node:fs/promises';
import { canResample, resampleWave } from './resample-wave.ts';

/** Longer ones gain little, and a decoder that is a process can be stopped midway. */
const secondsMax = 30;
const rateMin = 4000;
const rateMax = 192_000;
const pcm = 1;

export interface PlainWav {
  /** Of the first sample in the file. */
  readonly offset: number;
  readonly samples: number;
  readonly rate: number;
}

/** Null for anything else, and for a file that ends before its header says. `head` starts at the file's first byte. */
export function findPlainWav(head: Uint8Array, fileBytes: number): PlainWav | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (view.byteLength < 44 || tagAt(view, 0) !== 'RIFF' || tagAt(view, 8) !== 'WAVE') return null;
  let rate = 0;
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    const tag = tagAt(view, at);
    if (tag === 'fmt ') rate = readPlainRate(view, at + 8, size);
    if (tag === 'data') {
      const isPlain = rate > 0 && size > 0 && size % 2 === 0 && at + 8 + size <= fileBytes;
      return isPlain && size / 2 <= rate * secondsMax ? { offset: at + 8, samples: size / 2, rate } : null;
    }
    at += 8 + size + (size % 2);
  }
  return null;
}

/** Null where the rates have no simple ratio, or the file is no longer what it was. */
export async function readPlainWav(
  path: string,
  { offset, samples, rate }: PlainWav,
  sampleRate: number,
): Promise<Float32Array<ArrayBuffer> | null> {
  if (!canResample(rate, sampleRate)) return null;
  const bytes = Buffer.alloc(samples * 2);
  const file = await open(path, 'r');
  try {
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    if (bytesRead < bytes.length) return null;
  } finally {
    await file.close();
  }
  const wave = new Float32Array(samples);
  for (let at = 0; at < samples; at++) wave[at] = bytes.readInt16LE(at * 2) / 32_768;
  return resampleWave(wave, rate, sampleRate);
}

/** 0 for what is not plain. */
function readPlainRate(view: DataView, at: number, size: number): number {
  if (size < 16 || at + 16 > view.byteLength) return 0;
  const [format, channels, bits] = [at, at + 2, at + 14].map((place) => view.getUint16(place, true));
  const rate = view.getUint32(at + 4, true);
  return format === pcm && channels === 1 && bits === 16 && rate >= rateMin && rate <= rateMax ? rate : 0;
}

function tagAt(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((place) => view.getUint8(at + place)));
}
