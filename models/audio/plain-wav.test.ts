import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { decodeAudio } from './decode-audio.ts';
import { findPlainWav, readPlainWav } from './plain-wav.ts';

const rate = 16_000;

/** Noise and a falling tone: something at every frequency, and a first and last sample that are not zero. */
function sound(samples: number): Int16Array {
  return Int16Array.from(
    { length: samples },
    (_, at) => 9000 * Math.sin(0.9 * at - (0.3 * at * at) / samples) + 6000 * Math.sin(at * at * 12.9898) + 1000,
  );
}

interface Wish {
  readonly rate?: number;
  readonly format?: number;
  readonly channels?: number;
  readonly bits?: number;
  /** What the header says of the data. */
  readonly dataBytes?: number;
  readonly before?: Buffer;
}

function wav(samples: Int16Array, wish: Wish = {}): Buffer {
  const { rate: own = 8000, format = 1, channels = 1, bits = 16, dataBytes = samples.byteLength } = wish;
  const words = Buffer.alloc(16);
  words.writeUInt16LE(format, 0);
  words.writeUInt16LE(channels, 2);
  words.writeUInt32LE(own, 4);
  words.writeUInt32LE((own * channels * bits) / 8, 8);
  words.writeUInt16LE((channels * bits) / 8, 12);
  words.writeUInt16LE(bits, 14);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(dataBytes);
  const body = [Buffer.from('WAVE'), chunk('fmt ', words), wish.before ?? Buffer.alloc(0), Buffer.from('data'), size];
  return chunk('RIFF', Buffer.concat([...body, Buffer.from(samples.buffer)]));
}

function chunk(tag: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8, tag);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}

describe('plain WAV', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wav-'));
  });
  after(() => rm(folder, { recursive: true }));

  const byFfmpeg = async (path: string) => {
    const parameters = ['-v', 'error', '-nostdin', '-i', path, '-f', 'f32le', '-ar', String(rate), 'pipe:1'];
    const { stdout } = await promisify(execFile)('ffmpeg', parameters, { encoding: 'buffer', maxBuffer: 1e7 });
    return new Float32Array(new Uint8Array(stdout).buffer);
  };

  it('gives the samples that ffmpeg gives, at rates above, at and below the asked one', async () => {
    for (const own of [8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000]) {
      const path = join(folder, `${own}.wav`);
      await writeFile(path, wav(sound(own / 2 + 7), { rate: own }));
      const theirs = await byFfmpeg(path);
      const ours = await decodeAudio(path, { sampleRate: rate, secondsMax: 60 });
      assert.ok(Math.abs(ours.length - theirs.length) <= 1, `${own}: ${ours.length} and ${theirs.length} samples`);
      const worst = ours.reduce((most, sample, at) => Math.max(most, Math.abs(sample - (theirs[at] ?? sample))), 0);
      assert.ok(worst < 1e-5, `${own}: off by ${worst}`);
    }
  });

  it('finds the samples behind other chunks', () => {
    const found = findPlainWav(wav(sound(100), { before: chunk('LIST', Buffer.alloc(31)) }), 10_000);
    assert.deepEqual(found, { offset: 12 + 24 + 40 + 8, samples: 100, rate: 8000 });
  });

  it('leaves to ffmpeg what is not plain, whole and short', () => {
    const odd: Readonly<Record<string, Buffer>> = {
      'another codec': wav(sound(100), { format: 6 }),
      stereo: wav(sound(100), { channels: 2 }),
      '8 bits': wav(sound(100), { bits: 8 }),
      'an unlikely rate': wav(sound(100), { rate: 11 }),
      streamed: wav(sound(100), { dataBytes: 0xffffffff }),
      empty: wav(sound(100), { dataBytes: 0 }),
      'half a sample': wav(sound(100), { dataBytes: 199 }),
      'more than there is': wav(sound(100), { dataBytes: 202 }),
      'longer than half a minute': wav(sound(30 * 8000 + 1)),
      'cut in its header': wav(sound(100)).subarray(0, 40),
      'no data in sight': wav(sound(100)).subarray(0, 46).fill(0, 36),
    };
    for (const [name, bytes] of Object.entries(odd)) assert.equal(findPlainWav(bytes, bytes.length), null, name);
    assert.ok(findPlainWav(wav(sound(30 * 8000)), 1e6), 'half a minute is short');
  });

  it('leaves to ffmpeg rates without a simple ratio, and a file that shrank', async () => {
    const path = join(folder, 'small.wav');
    await writeFile(path, wav(sound(100)));
    assert.equal(await readPlainWav(path, { offset: 44, samples: 100, rate: 44_101 }, rate), null);
    assert.equal(await readPlainWav(path, { offset: 44, samples: 101, rate: 8000 }, rate), null);
  });

  it('refuses a recording that is longer than its model takes', async () => {
    const path = join(folder, 'long.wav');
    await writeFile(path, wav(sound(3 * 8000)));
    await assert.rejects(decodeAudio(path, { sampleRate: rate, secondsMax: 2 }), /audio-too-long/);
  });
});
