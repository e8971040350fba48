import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Problem } from '../../shared/problems/problem.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { assetsFolder, skipWithoutAssets } from '../parity/assets.ts';
import { inspectMedia } from '../preparation/inspect-media.ts';
import { decodeAudio } from './decode-audio.ts';

const options = { sampleRate: 16_000, secondsMax: 60 };
const ffmpeg = (...parameters: string[]) =>
  promisify(execFile)('ffmpeg', ['-v', 'error', '-y', '-nostdin', ...parameters]);
const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=2:sample_rate=44100'];

describe('decoding audio', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'audio-'));
  });
  after(() => rm(folder, { recursive: true }));

  const rejectsAs = (slug: string, path: string, more = {}) =>
    assert.rejects(decodeAudio(path, { ...options, ...more }), (error) => {
      assert.ok(error instanceof Problem, String(error));
      assert.equal(error.slug, slug, error.message);
      assert.ok(!error.detail.includes(folder), 'the detail names no path');
      return true;
    });

  it('gives mono float samples at the asked rate from every kind that is offered', async () => {
    const kinds = {
      'a.wav': [],
      'b.wav': ['-c:a', 'pcm_s24le', '-ac', '2'],
      'c.mp3': [],
      'd.ogg': ['-c:a', 'libvorbis'],
      'e.opus': ['-c:a', 'libopus'],
      'f.flac': [],
      'g.webm': ['-c:a', 'libopus'],
      'h.m4a': [],
      'i.aac': [],
      'j.mkv': ['-c:a', 'flac'],
    };
    for (const [name, codec] of Object.entries(kinds)) {
      const path = join(folder, name);
      await ffmpeg(...tone, ...codec, path);
      const samples = await decodeAudio(path, options);
      assert.ok(Math.abs(samples.length / 16_000 - 2) < 0.1, `${name}: ${samples.length} samples`);
      let crossings = 0;
      for (let at = 1; at < 16_000; at++) if ((samples[at] ?? 0) >= 0 !== (samples[at - 1] ?? 0) >= 0) crossings++;
      assert.ok(Math.abs(crossings - 880) < 20, `${name}: ${crossings} zero crossings in a second of 440 Hz`);
    }
  });

  it('gives the very samples of a 16 kHz WAV', { skip: skipWithoutAssets() }, async () => {
    const path = join(assetsFolder, 'audio', 'jfk', 'jfk.wav');
    const bytes = await readFile(path);
    const data = bytes.subarray(bytes.indexOf('data') + 8);
    const samples = await decodeAudio(path, options);
    assert.equal(samples.length, 176_000);
    for (let at = 0; at < samples.length; at += 997)
      assert.ok(Math.abs((samples[at] ?? 0) - data.readInt16LE(at * 2) / 32_768) < 1e-6);
  });

  it('refuses what holds no sound', async () => {
    await writeFile(
      join(folder, 'noise.wav'),
      Buffer.concat([Buffer.from('RIFF\x24\0\0\0WAVEfmt ', 'latin1'), Buffer.alloc(64, 7)]),
    );
    await rejectsAs('corrupt-audio', join(folder, 'noise.wav'));
    await ffmpeg('-f', 'lavfi', '-i', 'color=size=16x16:duration=0.2', join(folder, 'silent.mp4'));
    await rejectsAs('corrupt-audio', join(folder, 'silent.mp4'));
    await writeFile(join(folder, 'text.mp3'), 'no sound here');
    await rejectsAs('unsupported-file-type', join(folder, 'text.mp3'));
    await ffmpeg(...tone, join(folder, 'whole.m4a'));
    const whole = await readFile(join(folder, 'whole.m4a'));
    await writeFile(join(folder, 'cut.m4a'), whole.subarray(0, whole.length / 2));
    await rejectsAs('corrupt-audio', join(folder, 'cut.m4a'));
  });

  it('refuses playlists without opening what they name', async () => {
    const other = join(folder, 'other.wav');
    await ffmpeg(...tone, other);
    const playlists = [
      `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${other}\n#EXT-X-ENDLIST\n`,
      `ffconcat version 1.0\nfile '${other}'\n`,
    ];
    for (const [index, playlist] of playlists.entries()) {
      const path = join(folder, `list${index}.wav`);
      await writeFile(path, playlist);
      await rejectsAs('corrupt-audio', path);
    }
    // The same behind bytes that pass for a sound: the forced demuxer finds no playlist there.
    await writeFile(join(folder, 'list.mp3'), `ID3\x04\0\0\0\0\0\0${playlists[0]}`);
    await rejectsAs('corrupt-audio', join(folder, 'list.mp3'));
  });

  it('finds FLAC and AAC behind a tag with a large cover picture', async () => {
    const size = 200_000;
    const bits = [21, 14, 7, 0].map((shift) => (size >> shift) & 0x7f);
    const tag = Buffer.concat([Buffer.from('ID3\x04\0\0', 'latin1'), Buffer.from(bits), Buffer.alloc(size)]);
    for (const [kind, type, seconds] of [
      ['flac', 'audio/flac', 2],
      ['aac', 'audio/aac', null],
      ['mp3', 'audio/mpeg', null],
    ] as const) {
      const path = join(folder, `covered.${kind}`);
      await ffmpeg(...tone, '-map_metadata', '-1', path);
      await writeFile(path, Buffer.concat([tag, await readFile(path)]));
      assert.deepEqual(await inspectMedia('audio', path), { type, length: seconds });
      const samples = await decodeAudio(path, options);
      assert.ok(Math.abs(samples.length / options.sampleRate - 2) < 0.1, `${kind}: ${samples.length}`);
    }
  });

  it('stops at the seconds that are allowed, however far the file unpacks', async () => {
    const path = join(folder, 'bomb.flac');
    await ffmpeg('-f', 'lavfi', '-i', 'anullsrc=r=8000:cl=mono', '-t', '7200', path);
    const begin = performance.now();
    await rejectsAs('audio-too-long', path, { secondsMax: 10 });
    assert.ok(performance.now() - begin < 20_000, 'two hours were not decoded');
  });

  it('is stopped by its signal and by its own clock, and leaves no process behind', async () => {
    const path = join(folder, 'long.flac');
    await ffmpeg('-f', 'lavfi', '-i', 'anoisesrc=r=48000:d=600', path);
    for (const delay of [0, 1, 30]) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), delay);
      await assert.rejects(decodeAudio(path, { ...options, secondsMax: 3600, signal: controller.signal }), {
        name: 'AbortError',
      });
    }
    await rejectsAs('corrupt-audio', path, { secondsMax: 3600, timeoutMs: 40 });
    // A killed child needs a moment to be gone.
    await waitUntil('no process is left', async () => {
      const { stdout } = await promisify(execFile)('ps', ['-eo', 'args']);
      return !stdout.includes(path);
    });
  });

  it('decodes or refuses every sample of a tag reader’s test set', { skip: skipWithoutAssets() }, async () => {
    const samples = join(assetsFolder, 'audio', 'tinytag-samples');
    let decoded = 0;
    for (const name of readdirSync(samples)) {
      try {
        decoded += (await decodeAudio(join(samples, name), { ...options, secondsMax: 20 })).length > 0 ? 1 : 0;
      } catch (error) {
        assert.ok(error instanceof Problem, `${name}: ${error}`);
      }
    }
    assert.ok(decoded > 60, `${decoded} decoded`);
  });
});
