import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../shared/problems/problem.ts';
import type { Json } from '../repository/version-files.ts';
import { processImage } from './image-processor.ts';
import { makePixelScale, scalePixels } from './pixel-scale.ts';
import { readProcessorPlan, typicalSize } from './processor-plan.ts';

const white = (width: number, height: number) => ({
  data: new Uint8ClampedArray(width * height * 3).fill(255),
  width,
  height,
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

  it('take an unknown processor at its word, unless it says what is not known', () => {
    const file = { image_processor_type: 'NewImageProcessor', size: { height: 8, width: 6 }, do_normalize: false };
    assert.deepEqual(processImage(white(20, 20), readProcessorPlan(file)).dims, [3, 8, 6]);
    assert.throws(() => readProcessorPlan({ ...file, do_solarize: true }), /NewImageProcessor.*do_solarize may change/);
    assert.doesNotThrow(() => readProcessorPlan({ ...file, do_solarize: false }));
  });
});
