import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../shared/problems/problem.ts';
import type { Json } from '../repository/version-files.ts';
import type { Bitmap } from './bitmap.ts';
import { processImage } from './image-processor.ts';
import { makePixelScale, scalePixels } from './pixel-scale.ts';
import { readProcessorPlan, typicalSize } from './processor-plan.ts';

const white = (width: number, height: number, channels: 1 | 3 = 3): Bitmap => ({
  data: new Uint8ClampedArray(width * height * channels).fill(255),
  width,
  height,
  channels,
});

describe('image processors', () => {
  const scaled = (file: Json): Float32Array => {
    const plan = readProcessorPlan(file);
    const { data } = processImage(white(40, 20), plan);
    const floats = new Float32Array(data.length);
    scalePixels(data, makePixelScale(plan.scale), floats, 0);
    return floats;
  };

  it('scale and normalise as preprocessor_config.json says', () => {
    const vit = { image_processor_type: 'ViTImageProcessor', size: { height: 8, width: 8 } };
    const first = (more: Json) => scaled({ ...vit, ...more })[0];
    assert.equal(first({}), 1);
    assert.equal(first({ image_mean: [0, 0, 0], image_std: [2, 2, 2] }), 0.5);
    assert.equal(first({ do_normalize: false, rescale_factor: 1 / 51 }), 5);
    assert.equal(first({ do_normalize: false, do_rescale: false }), 255);
  });

  it('show the size that a model is warmed up with', () => {
    const sizes = [
      { image_processor_type: 'ViTFeatureExtractor', size: 16 },
      { image_processor_type: 'MobileNetV2ImageProcessor', size: { shortest_edge: 40 }, crop_size: 16 },
      { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 16 } },
    ].map((file) => typicalSize(readProcessorPlan(file)));
    assert.deepEqual(
      sizes.map((size) => [size?.height, size?.width]),
      new Array(3).fill([16, 16]),
    );
    assert.equal(typicalSize(readProcessorPlan({ do_resize: false })), null);
  });

  it('make of gray what they make of three equal channels', () => {
    const square = { height: 24, width: 30 };
    const files: Json[] = [
      { image_processor_type: 'ViTImageProcessor', size: square },
      { image_processor_type: 'ViTImageProcessor', size: square, resample: 0 },
      { image_processor_type: 'ViTImageProcessor', do_resize: false },
      { image_processor_type: 'MobileViTImageProcessor', size: { shortest_edge: 40 }, crop_size: 32 },
      { image_processor_type: 'MobileViTImageProcessor', size: { shortest_edge: 20 }, crop_size: 32 },
      { image_processor_type: 'DonutImageProcessor', size: square, do_align_long_axis: true },
    ];
    const bytes = Array.from({ length: 37 * 61 }, (_, at) => (at * at * 7) & 255);
    const gray: Bitmap = { data: Uint8ClampedArray.from(bytes), width: 37, height: 61, channels: 1 };
    const equal = bytes.flatMap((byte) => [byte, byte, byte]);
    const colour: Bitmap = { ...gray, data: Uint8ClampedArray.from(equal), channels: 3 };
    for (const file of files) {
      const plan = readProcessorPlan(file);
      assert.deepEqual(processImage(gray, plan), processImage(colour, plan), JSON.stringify(file));
    }
  });

  it('crop the middle of a narrow strip without resizing all of it', () => {
    const plan = readProcessorPlan({ image_processor_type: 'MobileNetV2ImageProcessor' });
    // Resized whole it would be 256 x 5,120,000: 4 GB.
    const begin = performance.now();
    const { dims, data } = processImage(white(40_000, 2), plan);
    assert.deepEqual(dims, [3, 224, 224]);
    assert.ok(data.every((byte) => byte === 255));
    // Quiet 0.1 s; the whole strip would not fit.
    assert.ok(performance.now() - begin < 30_000);
  });

  it('refuse a strip that nothing crops', () => {
    const plan = readProcessorPlan({ image_processor_type: 'MobileNetV2ImageProcessor', do_center_crop: false });
    assert.throws(
      () => processImage(white(40_000, 2), plan),
      (error) => error instanceof Problem && error.slug === 'image-too-large' && /5120000 x 256/.test(error.detail),
    );
  });

  it('refuse a strip of which its page would show nothing', () => {
    const plan = readProcessorPlan({ image_processor_type: 'DonutImageProcessor', size: { height: 384, width: 272 } });
    assert.throws(
      () => processImage(white(10, 6000, 1), plan),
      (error) =>
        error instanceof Problem && error.slug === 'image-too-large' && /0 x 384, .* nothing/.test(error.detail),
    );
  });

  it('take an unknown processor at its word, unless it says what is not known', () => {
    const file = { image_processor_type: 'NewImageProcessor', size: { height: 8, width: 6 }, do_normalize: false };
    assert.deepEqual(processImage(white(20, 20), readProcessorPlan(file)).dims, [3, 8, 6]);
    assert.throws(() => readProcessorPlan({ ...file, do_solarize: true }), /NewImageProcessor.*do_solarize may change/);
    assert.doesNotThrow(() => readProcessorPlan({ ...file, do_solarize: false }));
  });
});
