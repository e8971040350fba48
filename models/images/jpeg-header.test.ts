import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { readJpegHeader } from './jpeg-header.ts';

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#357' } });

describe('the header of a JPEG', () => {
  it('says what libvips says of it, of every usual kind', async () => {
    const kinds = {
      colour: picture(37, 21).jpeg(),
      gray: picture(800, 3).toColourspace('b-w').jpeg(),
      cmyk: picture(9, 700).toColourspace('cmyk').jpeg(),
      progressive: picture(64, 48).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }),
      turned: picture(30, 20).withMetadata({ orientation: 6 }).jpeg(),
    };
    for (const [kind, made] of Object.entries(kinds)) {
      const file = await made.toBuffer();
      const { width, height, channels } = await sharp(file).metadata();
      assert.deepEqual(readJpegHeader(file), { width, height, channels }, kind);
    }
  });

  it('is none while anything before the first scan is missing', async () => {
    const file = await picture(37, 21).jpeg().toBuffer();
    const lengths = Array.from(file.keys()).filter((length) => readJpegHeader(file.subarray(0, length)) !== null);
    const scan = file.indexOf(Buffer.from([0xff, 0xda]));
    const scanBytes = 2 + file.readUInt16BE(scan + 2);
    assert.ok(scan > 100);
    assert.deepEqual(lengths[0], scan + scanBytes);
  });

  it('is none where a frame is unusual, comes twice or has no pixels, and never throws', async () => {
    const file = await picture(37, 21).jpeg().toBuffer();
    const frame = file.indexOf(Buffer.from([0xff, 0xc0]));
    const changed = (at: number, byte: number) => {
      const other = Buffer.from(file);
      other[frame + at] = byte;
      return readJpegHeader(other);
    };
    assert.ok(frame > 0 && changed(4, 8) !== null);
    // Arithmetic coding, 12 bits, no height, two channels.
    for (const [at, byte] of [
      [1, 0xc9],
      [4, 12],
      [6, 0],
      [9, 2],
    ] as const)
      assert.equal(changed(at, byte), null);
    const twice = Buffer.concat([file.subarray(0, frame), file.subarray(frame, frame + 19), file.subarray(frame)]);
    assert.equal(readJpegHeader(twice), null);
    for (const at of file.keys())
      for (const byte of [0x00, 0x01, 0xd9, 0xda, 0xff]) {
        const other = Buffer.from(file);
        other[at] = byte;
        readJpegHeader(other);
      }
    assert.equal(readJpegHeader(Buffer.from('not a picture')), null);
    assert.equal(readJpegHeader(new Uint8Array(0)), null);
  });
});
