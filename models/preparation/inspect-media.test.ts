import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { Problem } from '../../shared/problems/problem.ts';
import { assetsFolder, skipWithoutAssets } from '../parity/assets.ts';
import { inspectMedia } from './inspect-media.ts';

/** A mono 16-bit WAV header and body. */
function wav(seconds: number, { channels = 1, rate = 16_000, declared = -1 } = {}): Buffer {
  const bytes = Math.round(seconds * rate) * channels * 2;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + bytes, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * channels * 2, 28);
  head.writeUInt16LE(channels * 2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(declared < 0 ? bytes : declared, 40);
  return Buffer.concat([head, Buffer.alloc(bytes)]);
}

describe('inspecting media before they are accepted', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'media-'));
  });
  after(() => rm(folder, { recursive: true }));

  const inspect = async (kind: 'audio' | 'image', bytes: Buffer | string, limits = {}) => {
    const path = join(folder, 'upload');
    await writeFile(path, bytes);
    const inMemory = await inspectMedia(kind, Buffer.from(bytes), limits).catch(String);
    assert.deepEqual(inMemory, await inspectMedia(kind, path, limits).catch(String));
    return inspectMedia(kind, path, limits);
  };
  const rejectsAs = async (slug: string, kind: 'audio' | 'image', bytes: Buffer | string, limits = {}) =>
    assert.rejects(inspect(kind, bytes, limits), (error) => {
      assert.ok(error instanceof Problem, String(error));
      assert.equal(error.slug, slug, error.message);
      assert.ok(!error.detail.includes(folder), 'the detail names no path');
      return true;
    });

  it('refuses files without bytes', async () => {
    for (const kind of ['audio', 'image'] as const) await rejectsAs('empty-file', kind, '');
  });

  it('refuses what is no image, whatever its name says', async () => {
    const lookalikes = [
      '<html><body>',
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
      'MZ\x90\0',
      '%PDF-1.7',
      'BM',
      '\0\0\0\x18ftypheic',
    ];
    for (const bytes of lookalikes) await rejectsAs('unsupported-file-type', 'image', Buffer.from(bytes, 'latin1'));
    await rejectsAs('unsupported-file-type', 'image', wav(0.1));
    await assert.rejects(inspect('image', '%PDF-1.7'), /is a PDF, not an image that is read here\. Send /);
    await assert.rejects(inspect('image', 'plain'), /The content is not an image/);
  });

  it('looks at a JPEG without libvips, and leaves one that is damaged to it', async () => {
    const jpeg = await sharp({ create: { width: 64, height: 32, channels: 3, background: '#000' } })
      .jpeg()
      .toBuffer();
    assert.deepEqual(await inspect('image', jpeg), { type: 'image/jpeg', length: 2048 });
    await rejectsAs('image-too-large', 'image', jpeg, { imagePixelsMax: 2000 });
    await rejectsAs('corrupt-image', 'image', jpeg.subarray(0, 40));
  });

  it('sees the sound behind a tag', async () => {
    const tagged = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\x10', 'latin1'), Buffer.alloc(16), wav(2)]);
    assert.deepEqual(await inspect('audio', tagged), { type: 'audio/wav', length: 2 });
    await rejectsAs('audio-too-long', 'audio', tagged, { audioSecondsMax: 1 });
  });

  it('refuses images of too many pixels or frames by their header', async () => {
    const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    assert.deepEqual(await inspect('image', png), { type: 'image/png', length: 4096 });
    const lying = Buffer.from(png);
    lying.writeUInt32BE(30_000, 16);
    lying.writeUInt32BE(30_000, 20);
    // The header chunk's checksum no longer fits; libpng may refuse that first, which is as well.
    await assert.rejects(inspect('image', lying), /image-too-large|corrupt-image/);
    const wide = await sharp({ create: { width: 6000, height: 4001, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    await rejectsAs('image-too-large', 'image', wide);
    await rejectsAs('image-too-large', 'image', png, { imagePixelsMax: 4000 });
    const control = Buffer.alloc(20);
    control.writeUInt32BE(8, 0);
    control.write('acTL', 4, 'latin1');
    control.writeUInt32BE(10_000, 8);
    await assert.rejects(
      inspect('image', Buffer.concat([png.subarray(0, 33), control, png.subarray(33)])),
      /10000 frames|corrupt-image/,
    );
  });

  it('refuses what is no sound, and playlists that would lead elsewhere', async () => {
    for (const bytes of ['plain text, much of it', 'MZ\x90\0', 'PK\x03\x04', '\0\0\0\x18ftypavif'])
      await rejectsAs('unsupported-file-type', 'audio', Buffer.from(bytes, 'latin1'));
    const playlists = [
      '#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd',
      'ffconcat version 1.0\nfile /etc/passwd',
      "file '/etc/passwd'",
      '[playlist]\nFile1=x',
      '<?xml version="1.0"?>\n<MPD/>',
      '\ufeff#EXTM3U',
    ];
    for (const bytes of playlists) await rejectsAs('corrupt-audio', 'audio', bytes);
  });

  it('reads the duration of a WAV from its header, also when the header lies', async () => {
    assert.deepEqual(await inspect('audio', wav(2), { audioSecondsMax: 2 }), { type: 'audio/wav', length: 2 });
    await rejectsAs('audio-too-long', 'audio', wav(2.1), { audioSecondsMax: 2 });
    await rejectsAs('audio-too-long', 'audio', wav(2.1, { declared: 0xffffffff }), { audioSecondsMax: 2 });
    await rejectsAs('audio-too-long', 'audio', wav(2.1, { declared: 0 }), { audioSecondsMax: 2 });
    await inspect('audio', wav(1, { declared: 0x7fffffff }), { audioSecondsMax: 2 });
    await rejectsAs('corrupt-audio', 'audio', wav(0));
    await rejectsAs('audio-too-long', 'audio', wav(0.1, { channels: 64 }));
  });

  it('tells real recordings by content', { skip: skipWithoutAssets() }, async () => {
    const samples = join(assetsFolder, 'audio');
    const typeOf = async (path: string) => (await inspectMedia('audio', join(samples, path))).type;
    assert.equal(await typeOf('jfk/jfk.wav'), 'audio/wav');
    assert.equal(await typeOf('jfk/jfk.flac'), 'audio/flac');
    assert.equal(await typeOf('silero-test/test.mp3'), 'audio/mpeg');
    assert.equal(await typeOf('silero-test/test.opus'), 'audio/ogg');
    assert.equal(await typeOf('tinytag-samples/vbr8.mp3'), 'audio/mpeg');
    assert.equal(await typeOf('tinytag-samples/alac_silence.m4a'), 'audio/mp4');
    await assert.rejects(typeOf('tinytag-samples/silence.wma'), /unsupported-file-type/);
    await assert.rejects(
      inspectMedia('audio', join(samples, 'jfk/jfk.flac'), { audioSecondsMax: 10 }),
      /lasts 11\.0 s/,
    );
  });
});
