/**
 * The one door to fluent-ffmpeg: a spooled file to mono float32 samples. Locked down, since media files are hostile:
 * the demuxer is forced from the file's own first bytes, so nothing is probed; only `file` may be opened and only
 * container formats read (a playlist under either alone still reached other files); time, bytes and seconds are
 * capped. ffmpeg's error text names paths, so none of it is passed on. Short plain WAV does without ffmpeg.
 */
import { Writable } from 'node:stream';
import ffmpeg from 'fluent-ffmpeg';
import { Problem } from '../../shared/problems/problem.ts';
import { findPlainWav, type PlainWav, readPlainWav } from './plain-wav.ts';
import { readAudioHead } from './read-audio-head.ts';
import { type AudioKind, audioKindsInWords, isPlaylist, sniffAudio } from './sniff-audio.ts';

export interface DecodeOptions {
  readonly sampleRate: number;
  readonly secondsMax: number;
  /** Wall clock; an hour of MP3 decodes in about 10 s on one busy core. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const formatWhitelist = 'wav,mp3,flac,ogg,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,aac';

/** Samples of the first audio track. Throws Problem, or the signal's reason. */
export async function decodeAudio(path: string, options: DecodeOptions): Promise<Float32Array<ArrayBuffer>> {
  options.signal?.throwIfAborted();
  const { kind, plain } = await sniffFile(path);
  options.signal?.throwIfAborted();
  if (plain && plain.samples <= options.secondsMax * plain.rate) {
    const samples = await readPlainWav(path, plain, options.sampleRate);
    if (samples) return samples;
  }
  // One second more than allowed is decoded, to tell "as long as allowed" from "too long".
  const sink = new SampleSink((options.secondsMax + 1) * options.sampleRate);
  await runFfmpeg(path, kind, sink, options);
  const samples = sink.take();
  if (samples.length === 0)
    throw new Problem('corrupt-audio', 'The recording holds no sound. Send it again, or as WAV.');
  if (samples.length > options.secondsMax * options.sampleRate) {
    throw new Problem('audio-too-long', `The recording is longer than ${options.secondsMax} s. Cut it into pieces.`);
  }
  return samples;
}

/**
 * Asks ffmpeg once per thread what it can do, which fluent-ffmpeg otherwise does on the first recording (two
 * processes, 0.15 to 2 s). Throws when there is no ffmpeg.
 */
export function warmDecoder(): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | null) => (error ? reject(translate(error)) : resolve());
    ffmpeg.getAvailableFormats((error) => (error ? settle(error) : ffmpeg.getAvailableEncoders(settle)));
  });
}

async function sniffFile(path: string): Promise<{ kind: AudioKind; plain: PlainWav | null }> {
  const { head, bytes, isTagged } = await readAudioHead(path);
  if (isPlaylist(head)) throw new Problem('corrupt-audio', 'The file is a playlist, not sound. Send the sound itself.');
  const kind = sniffAudio(head, isTagged);
  if (kind) return { kind, plain: isTagged ? null : findPlainWav(head, bytes) };
  throw new Problem('unsupported-file-type', `The content is not audio that is read here. Send ${audioKindsInWords}.`);
}

function runFfmpeg(path: string, kind: AudioKind, sink: SampleSink, options: DecodeOptions): Promise<void> {
  const { signal, sampleRate, secondsMax, timeoutMs = 120_000 } = options;
  const command = ffmpeg()
    .input(`file:${path}`)
    .inputFormat(kind.demuxer)
    .inputOptions(['-nostdin', '-protocol_whitelist', 'file', '-format_whitelist', formatWhitelist, '-threads', '1'])
    .noVideo()
    .outputOptions(['-map', '0:a:0', '-sn', '-dn', '-map_metadata', '-1'])
    .audioChannels(1)
    .audioFrequency(sampleRate)
    .audioCodec('pcm_f32le')
    .format('f32le')
    .duration(secondsMax + 1);
  return new Promise((resolve, reject) => {
    let stopped: Error | null = null;
    const kill = (reason: Error) => {
      stopped ??= reason;
      command.kill('SIGKILL');
    };
    const onAbort = () => kill(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    const timer = setTimeout(() => kill(decodeTimeout(timeoutMs)), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    const settle = (error: Error | null) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (error) reject(error);
      else resolve();
    };
    sink.onFull = () =>
      kill(new Problem('audio-too-long', `The recording is longer than ${secondsMax} s. Cut it into pieces.`));
    // A kill before the start does nothing, so it is said again here.
    command.on('start', () => stopped && command.kill('SIGKILL'));
    command.on('error', (error: Error) => settle(stopped ?? translate(error)));
    // Both must have happened: the exit can come before the last bytes, and the last bytes before a bad exit.
    command.on('end', () => sink.whenFinished(() => settle(stopped)));
    command.pipe(sink.stream, { end: true });
  });
}

function decodeTimeout(timeoutMs: number): Problem {
  return new Problem('corrupt-audio', `Decoding took longer than ${timeoutMs / 1000} s. Send the recording as WAV.`);
}

function translate(error: Error): Error {
  if (/cannot find ffmpeg/i.test(error.message)) {
    return new Error('ffmpeg is not installed: install it, or set FFMPEG_PATH.', { cause: error });
  }
  return new Problem('corrupt-audio', 'The recording can not be decoded, or holds no sound track.', { cause: error });
}

/** Collects raw bytes up to a bound. `emitClose: false` spares fluent-ffmpeg's false "Output stream closed" (2 in 120). */
class SampleSink {
  readonly stream: Writable;
  onFull: () => void = () => {};
  readonly #bytesMax: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isFinished = false;

  constructor(samplesMax: number) {
    this.#bytesMax = samplesMax * 4 + 65_536;
    this.stream = new Writable({
      emitClose: false,
      write: (chunk: Buffer, _encoding, done) => {
        this.#bytes += chunk.length;
        if (this.#bytes <= this.#bytesMax) this.#chunks.push(chunk);
        else this.onFull();
        done();
      },
    });
    this.stream.once('finish', () => {
      this.#isFinished = true;
    });
  }

  whenFinished(then: () => void): void {
    if (this.#isFinished) then();
    else this.stream.once('finish', then);
  }

  /** A buffer of its own, so that it can be moved to another thread; a cut last sample is dropped. */
  take(): Float32Array<ArrayBuffer> {
    const samples = new Float32Array(Math.floor(Math.min(this.#bytes, this.#bytesMax) / 4));
    const bytes = new Uint8Array(samples.buffer);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk.subarray(0, bytes.length - at), at);
      at += Math.min(chunk.length, bytes.length - at);
    }
    this.#chunks = [];
    return samples;
  }
}
