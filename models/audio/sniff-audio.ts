/**
 * Tells audio kinds apart by their first bytes, and which ffmpeg demuxer to force; reads the duration where the header
 * gives it for nothing (WAV, FLAC). Never trusts a name or a declared type. Pure: sees bytes, opens nothing.
 */

/** `demuxer` is forced on ffmpeg, so that no probing can pick a playlist reader. */
export interface AudioKind {
  readonly type: string;
  readonly demuxer: 'wav' | 'mp3' | 'flac' | 'ogg' | 'matroska' | 'mov' | 'aac';
}

export interface AudioHeader {
  readonly seconds: number;
  readonly channels: number;
}

/** How many first bytes the functions here want: a WAV may carry a few KB of tags before its data. */
export const sniffBytes = 65_536;

export const audioKindsInWords = 'WAV, MP3, FLAC, Ogg (Vorbis, Opus), WebM/Matroska, MP4/M4A or AAC';

const wav: AudioKind = { type: 'audio/wav', demuxer: 'wav' };
const mp3: AudioKind = { type: 'audio/mpeg', demuxer: 'mp3' };
const flac: AudioKind = { type: 'audio/flac', demuxer: 'flac' };
const ogg: AudioKind = { type: 'audio/ogg', demuxer: 'ogg' };
const matroska: AudioKind = { type: 'audio/webm', demuxer: 'matroska' };
const mp4: AudioKind = { type: 'audio/mp4', demuxer: 'mov' };
const aac: AudioKind = { type: 'audio/aac', demuxer: 'aac' };

/** ISO media brands that hold pictures, not sound. */
const imageBrands = /^(heic|heix|hevc|heim|heis|mif1|msf1|avif|avis|jxl |crx )/;

/** The kind, or null for anything that is not read here. `isTagged`: an ID3 tag stood before `head`, as before any MP3. */
export function sniffAudio(head: Uint8Array, isTagged = false): AudioKind | null {
  const tag = (at: number, length = 4) => Buffer.from(head.subarray(at, at + length)).toString('latin1');
  if ((tag(0) === 'RIFF' || tag(0) === 'RF64') && tag(8) === 'WAVE') return wav;
  if (tag(0) === 'fLaC') return flac;
  if (tag(0) === 'OggS') return ogg;
  if (tag(0) === '\x1a\x45\xdf\xa3') return matroska;
  if (tag(4) === 'ftyp') return imageBrands.test(tag(8)) ? null : mp4;
  return sniffMpeg(head) ?? (isTagged ? mp3 : null);
}

/** Length of the ID3v2 tag at the start: 0 where there is none. It may stand before MP3, AAC or FLAC. */
export function id3TagBytes(head: Uint8Array): number {
  if (Buffer.from(head.subarray(0, 3)).toString('latin1') !== 'ID3') return 0;
  return 10 + [6, 7, 8, 9].reduce((sum, at) => sum * 128 + ((head[at] ?? 0) & 0x7f), 0);
}

/** Text that a media player would follow to other files: HLS, ffconcat, M3U, PLS, SDP, XML playlists. */
export function isPlaylist(head: Uint8Array): boolean {
  const text = Buffer.from(head.subarray(0, 256))
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  return /^\s*(#EXTM3U|#EXTINF|ffconcat|\[playlist\]|v=0\r?\n|<\?xml[^>]*>\s*<(MPD|smil|asx|playlist)|<(MPD|smil|asx)\b|file\s+['"\w/.])/i.test(
    text,
  );
}

/** Duration and channels as a WAV or FLAC header states them; null when it does not. `fileBytes` bounds a lying header. */
export function readAudioHeader(head: Uint8Array, kind: AudioKind, fileBytes: number): AudioHeader | null {
  if (kind.demuxer === 'wav') return readWavHeader(head, fileBytes);
  if (kind.demuxer === 'flac') return readFlacHeader(head);
  return null;
}

function readWavHeader(head: Uint8Array, fileBytes: number): AudioHeader | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  let channels = 0;
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= head.byteLength; ) {
    const id = view.getUint32(at);
    const size = view.getUint32(at + 4, true);
    // "fmt "
    if (id === 0x666d7420 && at + 20 <= head.byteLength) {
      channels = view.getUint16(at + 10, true);
      bytesPerSecond = view.getUint32(at + 16, true);
    }
    // "data": streamed files say 0 or 2^32-1, and truncated ones more than there is.
    if (id === 0x64617461) {
      if (bytesPerSecond === 0) return null;
      const present = Math.max(0, fileBytes - at - 8);
      const isStreamed = size === 0xffffffff || (size === 0 && present > 1);
      return { seconds: (isStreamed ? present : Math.min(size, present)) / bytesPerSecond, channels };
    }
    at += 8 + size + (size % 2);
  }
  return null;
}

function readFlacHeader(head: Uint8Array): AudioHeader | null {
  if (head.byteLength < 26) return null;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  // STREAMINFO, from byte 18: 20 bits rate, 3 bits channels - 1, 5 bits depth - 1, 36 bits total samples (0: unknown).
  const packed = view.getBigUint64(18);
  const rate = Number(packed >> 44n);
  const samples = Number(packed & 0xfffffffffn);
  if (rate === 0 || samples === 0) return null;
  return { seconds: samples / rate, channels: Number((packed >> 41n) & 7n) + 1 };
}

/** MPEG audio or ADTS by their sync words; some MP3s start with up to a few KB of zeros or a cut frame. */
function sniffMpeg(head: Uint8Array): AudioKind | null {
  if (head[0] === 0xff && ((head[1] ?? 0) & 0xf6) === 0xf0) return aac;
  const end = Math.min(head.byteLength - 4, 4096);
  for (let at = 0; at < end; at++) {
    const length = mpegFrameBytes(head, at);
    // Two frames in a row: one alone occurs by chance in any binary file.
    if (length > 0 && (mpegFrameBytes(head, at + length) > 0 || at + length === head.byteLength)) return mp3;
  }
  return null;
}

const bitrates: Readonly<Record<string, readonly number[]>> = {
  '1-1': [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  '1-2': [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  '1-3': [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  '2-1': [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  '2-2': [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const sampleRates = [44_100, 48_000, 32_000];

/** Bytes of the MPEG audio frame at `at`, or 0 when there is none. */
function mpegFrameBytes(head: Uint8Array, at: number): number {
  const [sync, a, b] = [head[at], head[at + 1] ?? 0, head[at + 2] ?? 0];
  const version = (a >> 3) & 3;
  const layer = 4 - ((a >> 1) & 3);
  const rate = sampleRates[(b >> 2) & 3];
  if (sync !== 0xff || (a & 0xe0) !== 0xe0 || version === 1 || layer === 4 || rate === undefined) return 0;
  const isFirst = version === 3;
  const kilobits = bitrates[`${isFirst ? 1 : 2}-${isFirst ? layer : Math.min(layer, 2)}`]?.[b >> 4] ?? 0;
  if (kilobits === 0) return 0;
  const hertz = isFirst ? rate : version === 2 ? rate / 2 : rate / 4;
  const padding = (b >> 1) & 1;
  if (layer === 1) return (Math.floor((12_000 * kilobits) / hertz) + padding) * 4;
  const samples = layer === 3 && !isFirst ? 72_000 : 144_000;
  return Math.floor((samples * kilobits) / hertz) + padding;
}
