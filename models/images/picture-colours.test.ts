import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { assetsFolder, skipWithoutAssets } from '../parity/assets.ts';
import { coloursOf } from './picture-colours.ts';

describe('colours of a picture', () => {
  const plain = sharp({ create: { width: 9, height: 5, channels: 3, background: '#345' } });
  const inSpace = (space: string) => plain.clone().toColourspace(space);

  it('are read from the first bytes of JPEG and PNG', async () => {
    const files = {
      gray: [
        inSpace('b-w').jpeg(),
        inSpace('b-w').jpeg({ progressive: true }),
        inSpace('b-w')
          .withExif({ IFD0: { Artist: 'a'.repeat(9000) } })
          .jpeg(),
        inSpace('b-w').png(),
      ],
      rgb: [
        plain.clone().jpeg(),
        plain.clone().png(),
        plain.clone().png({ palette: true }),
        inSpace('grey16').png(),
        inSpace('b-w').ensureAlpha(0.5).png(),
      ],
      cmyk: [inSpace('cmyk').jpeg()],
    };
    for (const [colours, encoders] of Object.entries(files))
      for (const [index, encoder] of encoders.entries()) {
        assert.equal(coloursOf(await encoder.toBuffer()), colours, `${colours} ${index}`);
      }
  });

  it('are unknown where only a decoder could tell', async () => {
    const jpeg = await plain.clone().jpeg().toBuffer();
    for (const file of [await plain.clone().webp().toBuffer(), jpeg.subarray(0, 40), new Uint8Array(0)]) {
      assert.equal(coloursOf(file), null);
    }
  });

  it('agree with libvips on every picture at hand', { skip: skipWithoutAssets() }, async () => {
    const spaces = { gray: ['b-w'], rgb: ['srgb', 'rgb16', 'grey16', 'b-w'], cmyk: ['cmyk'] };
    const files = globSync('images/**/*.{jpg,jpeg,JPEG,png}', { cwd: assetsFolder });
    let known = 0;
    for (const name of files) {
      const file = readFileSync(join(assetsFolder, name));
      const colours = coloursOf(file);
      const header = await sharp(file, { limitInputPixels: false })
        .metadata()
        .catch(() => null);
      if (!colours || !header) continue;
      known += 1;
      assert.ok(spaces[colours].includes(String(header.space)), `${name}: ${colours}, ${header.space}`);
      // What is left to be RGB although libvips calls it gray has alpha.
      if (colours === 'rgb' && header.space === 'b-w') assert.ok(header.hasAlpha, name);
    }
    assert.ok(known > 50, `${known} of ${files.length}`);
  });
});
