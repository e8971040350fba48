import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp, { type Colour, type Sharp } from 'sharp';
import { Problem } from '../../shared/problems/problem.ts';
import { assetsFolder, skipWithoutAssets } from '../parity/assets.ts';
import type { Bitmap } from './bitmap.ts';
import { decodeImage } from './decode-image.ts';

describe('decoding images', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'images-'));
  });
  after(() => rm(folder, { recursive: true }));

  /** Left half red, right half blue. */
  const twoColours = async () => {
    const pixels = Buffer.from(
      Array.from({ length: 16 * 8 }, (_, at) => (at % 16 < 8 ? [255, 0, 0] : [0, 0, 255])).flat(),
    );
    return sharp(pixels, { raw: { width: 16, height: 8, channels: 3 } });
  };
  const save = async (name: string, bytes: Buffer) => {
    await writeFile(join(folder, name), bytes);
    return join(folder, name);
  };
  const pixel = ({ data, width, channels }: Bitmap, x: number, y: number) => [
    ...data.subarray((y * width + x) * channels, (y * width + x + 1) * channels),
  ];
  const near = (actual: number[], expected: number[], tolerance = 12) =>
    assert.ok(
      actual.every((value, at) => Math.abs(value - (expected[at] ?? 0)) <= tolerance),
      `${actual} vs ${expected}`,
    );
  const rejectsAs = (slug: string, path: string) =>
    assert.rejects(decodeImage(path), (error) => {
      assert.ok(error instanceof Problem, String(error));
      assert.equal(error.slug, slug);
      assert.ok(!error.detail.includes(folder), 'the detail names no path');
      return true;
    });

  it('reads every kind that is offered', async () => {
    const image = await twoColours();
    const encoders = {
      jpg: image.jpeg(),
      png: image.png(),
      webp: image.webp(),
      gif: image.gif(),
      avif: image.avif(),
      tif: image.tiff(),
    };
    for (const [kind, encoder] of Object.entries(encoders)) {
      const decoded = await decodeImage(await save(`two.${kind}`, await encoder.toBuffer()));
      assert.deepEqual([decoded.width, decoded.height], [16, 8], kind);
      near(pixel(decoded, 1, 4), [255, 0, 0], 40);
      near(pixel(decoded, 14, 4), [0, 0, 255], 40);
    }
  });

  it('turns a photo upright by its EXIF orientation', async () => {
    const rotated = await (await twoColours()).withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer();
    const decoded = await decodeImage(await save('rotated.jpg', rotated));
    assert.deepEqual([decoded.width, decoded.height], [8, 16]);
    near(pixel(decoded, 4, 1), [255, 0, 0], 40);
    near(pixel(decoded, 4, 14), [0, 0, 255], 40);
  });

  it('brings grey, 16-bit, palette, CMYK and transparent images to 8 bits', async () => {
    const make = (background: object, finish: (image: Sharp) => Sharp) =>
      finish(sharp({ create: { width: 4, height: 4, channels: 4, background: background as Colour } })).toBuffer();
    const grey = { r: 128, g: 128, b: 128, alpha: 1 };
    const cases: [string, Buffer, number[]][] = [
      ['grey.png', await make(grey, (image) => image.removeAlpha().toColourspace('b-w').png()), [128]],
      ['grey.jpg', await make(grey, (image) => image.removeAlpha().toColourspace('b-w').jpeg()), [128]],
      ['deep.png', await make(grey, (image) => image.removeAlpha().toColourspace('rgb16').png()), [128, 128, 128]],
      ['palette.png', await make(grey, (image) => image.png({ palette: true })), [128, 128, 128]],
      ['cmyk.jpg', await make(grey, (image) => image.removeAlpha().toColourspace('cmyk').jpeg()), [128, 128, 128]],
      [
        'clear-grey.png',
        await make({ ...grey, alpha: 0 }, (image) => image.toColourspace('b-w').png()),
        [255, 255, 255],
      ],
      ['clear.png', await make({ r: 0, g: 0, b: 0, alpha: 0 }, (image) => image.png()), [255, 255, 255]],
    ];
    for (const [name, bytes, expected] of cases) {
      const decoded = await decodeImage(await save(name, bytes));
      assert.equal(decoded.channels, expected.length, name);
      assert.equal(decoded.data.length, 4 * 4 * expected.length, name);
      // CMYK has no profile here, so its grey is a little off.
      near(pixel(decoded, 2, 2), expected, 16);
    }
  });

  it('takes the first frame of an animation', async () => {
    const frames = Buffer.concat([Buffer.alloc(4 * 4 * 3, 255), Buffer.alloc(4 * 4 * 3, 0)]);
    const gif = await sharp(frames, { raw: { width: 4, height: 8, channels: 3, pageHeight: 4 } })
      .gif({ delay: [100, 100] })
      .toBuffer();
    const decoded = await decodeImage(await save('animated.gif', gif));
    assert.deepEqual([decoded.width, decoded.height], [4, 4]);
    near(pixel(decoded, 1, 1), [255, 255, 255]);
  });

  it('refuses a photo that ends early, and one of too many pixels', async () => {
    const jpeg = await sharp({
      create: {
        width: 400,
        height: 400,
        channels: 3,
        background: '#345',
        noise: { type: 'gaussian', mean: 128, sigma: 30 },
      },
    })
      .jpeg()
      .toBuffer();
    await rejectsAs('corrupt-image', await save('cut.jpg', jpeg.subarray(0, jpeg.length / 2)));
    const large = await sharp({ create: { width: 6000, height: 4001, channels: 3, background: '#345' } })
      .png()
      .toBuffer();
    await rejectsAs('image-too-large', await save('large.png', large));
  });

  it('refuses kinds that are blocked, whatever their name', async () => {
    await rejectsAs(
      'corrupt-image',
      await save('vector.png', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')),
    );
    const fits = Buffer.alloc(2880, `SIMPLE  =                    T${' '.repeat(50)}`);
    await rejectsAs('corrupt-image', await save('fits.png', fits));
  });

  it('decodes or refuses each image of PngSuite, and never anything else', { skip: skipWithoutAssets() }, async () => {
    const suite = join(assetsFolder, 'images', 'pngsuite', 'png');
    const names = readdirSync(suite).filter((name) => name.endsWith('.png'));
    assert.ok(names.length > 20, `${names.length} files`);
    const accepted: string[] = [];
    for (const name of names) {
      try {
        const { data, width, height, channels } = await decodeImage(join(suite, name));
        assert.equal(data.length, width * height * channels, name);
        const inColour = await sharp(join(suite, name), { ignoreIcc: true, failOn: 'truncated' })
          .flatten({ background: '#ffffff' })
          .removeAlpha()
          .raw()
          .toBuffer();
        const isSame = inColour.every((byte, at) => byte === data[channels === 1 ? Math.floor(at / 3) : at]);
        assert.ok(isSame && inColour.length === width * height * 3, `${name}: other pixels than in colour`);
        if (name.startsWith('x')) accepted.push(name);
      } catch (error) {
        assert.ok(error instanceof Problem, `${name}: ${error}`);
        assert.ok(name.startsWith('x'), `${name} is valid: ${error.message}`);
      }
    }
    // Of the 14 broken ones these decode all the same: wrong checksums or a wrong chunk that changes no pixel.
    assert.ok(accepted.length <= 4, accepted.join(', '));
  });
});
