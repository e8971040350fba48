import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadImageProcessor, type PixelValues } from './image-processor.ts';
import { readPixelScale, scalePixels } from './pixel-scale.ts';

describe('image processors', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'processors-'));
  });
  after(() => rm(folder, { recursive: true }));

  const lay = async (model: string, processor: object) => {
    const version = join(folder, model, '1');
    await mkdir(version, { recursive: true });
    await writeFile(join(version, 'preprocessor_config.json'), JSON.stringify(processor));
    return version;
  };
  const scaled = ({ data }: PixelValues, processor: object): Float32Array => {
    assert.ok(data instanceof Uint8Array, 'pixels travel as bytes');
    const floats = new Float32Array(data.length);
    scalePixels(data, readPixelScale({ ...processor }), floats, 0);
    return floats;
  };
  const image = { data: new Uint8ClampedArray(40 * 20 * 3).fill(255), width: 40, height: 20 };
  const vit = {
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    do_normalize: true,
    do_rescale: true,
    resample: 3,
    rescale_factor: 1 / 255,
  };

  it('scales and normalises as preprocessor_config.json says, also for two versions of one name at once', async () => {
    const half = { ...vit, size: { height: 8, width: 8 }, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
    const none = { ...vit, size: { height: 16, width: 12 }, image_mean: [0, 0, 0], image_std: [2, 2, 2] };
    const [a, b] = await Promise.all([
      loadImageProcessor(await lay('half', half), readPixelScale(half)),
      loadImageProcessor(await lay('none', none), readPixelScale(none)),
    ]);
    const [first, second] = [await a(image), await b(image)];
    assert.deepEqual([first.dims, scaled(first, half)[0]], [[3, 8, 8], 1]);
    assert.deepEqual([second.dims, scaled(second, none)[0]], [[3, 16, 12], 0.5]);
  });

  it('leaves scaling to a processor whose last steps are not the table that its file describes', async () => {
    const processor = {
      ...vit,
      size: { height: 8, width: 8 },
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
    };
    const folder = await lay('other', processor);
    const process = await loadImageProcessor(folder, readPixelScale({ ...processor, image_std: [0.25, 0.25, 0.25] }));
    const { data } = await process(image);
    assert.ok(data instanceof Float32Array);
    assert.equal(data[0], 1);
  });

  it('never asks the hub for what is not there', async () => {
    await assert.rejects(loadImageProcessor(join(folder, 'nothing', '1'), readPixelScale({})));
  });
});
