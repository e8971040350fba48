import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { countFrames, cutWindows, frameStep, normalizeWave } from './waveform.ts';

const wav2vec2 = { kernels: [10, 3, 3, 3, 3, 2, 2], strides: [5, 2, 2, 2, 2, 2, 2] };

describe('samples and frames', () => {
  it('counts frames as wav2vec2 does', () => {
    assert.equal(frameStep(wav2vec2), 320);
    assert.deepEqual(
      [0, 399, 400, 719, 720, 16_000].map((samples) => countFrames(samples, wav2vec2)),
      [0, 0, 1, 1, 2, 49],
    );
  });

  it('normalises to zero mean and unit variance, and leaves silence finite', () => {
    const wave = Float32Array.from({ length: 1000 }, (_, at) => 3 + Math.sin(at));
    normalizeWave(wave);
    const mean = wave.reduce((sum, sample) => sum + sample, 0) / wave.length;
    const variance = wave.reduce((sum, sample) => sum + sample * sample, 0) / wave.length;
    assert.ok(Math.abs(mean) < 1e-5 && Math.abs(variance - 1) < 1e-3, `${mean} ${variance}`);
    const silence = new Float32Array(10);
    normalizeWave(silence);
    assert.deepEqual([...silence], [...new Float32Array(10)]);
  });

  it('cuts windows whose kept parts are the whole, once, in order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 10, max: 500 }),
        fc.integer({ min: 0, max: 4 }),
        (samples, length, context) => {
          const windows = cutWindows(samples, length, context);
          let at = 0;
          for (const window of windows) {
            assert.equal(window.from + window.contextLeft, at);
            assert.ok(window.to - window.from <= length);
            at = window.to - window.contextRight;
          }
          assert.equal(at, samples);
        },
      ),
    );
  });
});
