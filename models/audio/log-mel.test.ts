import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { complexArray, planFourier } from './fourier.ts';
import { createLogMel } from './log-mel.ts';

interface ReferenceCase {
  readonly mels: number;
  readonly windowSeconds: number;
  readonly samples: number;
  readonly frames: Readonly<Record<string, readonly number[]>>;
}

/** By WhisperFeatureExtractor: parity/reference/whisper_pieces.py. */
const reference = JSON.parse(
  readFileSync(join(import.meta.dirname, 'log-mel.reference.json'), 'utf8'),
) as readonly ReferenceCase[];

/** The signal of the reference: chirps of 0.3 s with pauses, and faint noise. */
function signal(count: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: count }, (_, at) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const chirp = Math.sin((2 * Math.PI * at * (100 + 0.05 * at)) / 16_000);
    return (at % 8000 < 5000 ? 0.3 * chirp : 0) + 0.01 * (state / 2 ** 32 - 0.5);
  });
}

describe('log-mel features', () => {
  for (const { mels, windowSeconds, samples, frames } of reference) {
    it(`are transformers' (${mels} mels, ${samples} samples in ${windowSeconds} s)`, () => {
      const plan = { sampleRate: 16_000, fftSize: 400, hop: 160, mels, windowSamples: windowSeconds * 16_000 };
      const features = createLogMel(plan)(signal(samples));
      let worst = 0;
      for (const [frame, values] of Object.entries(frames)) {
        for (const [mel, value] of values.entries()) {
          const at = Number(frame);
          const own = at < features.frames ? features.data[mel * features.frames + at] : features.floor;
          worst = Math.max(worst, Math.abs((own ?? Number.NaN) - value));
        }
      }
      assert.ok(worst <= 1e-4, `off by ${worst}`);
    });
  }

  it('compute no frame that hears only the padding', () => {
    const extract = createLogMel({ sampleRate: 16_000, fftSize: 400, hop: 160, mels: 80, windowSamples: 480_000 });
    assert.equal(extract(signal(16_000)).frames, 102);
    assert.equal(extract(signal(500_000)).frames, 3000);
  });
});

describe('the Fourier transform', () => {
  for (const length of [1, 2, 7, 12, 200, 400]) {
    it(`of ${length} numbers is the definition's`, () => {
      const input = complexArray(length);
      for (let at = 0; at < length; at++) {
        input.re[at] = Math.sin(at * at);
        input.im[at] = Math.cos(3 * at);
      }
      const kept = { re: input.re.slice(), im: input.im.slice() };
      const { re, im } = planFourier(length).run(input);
      for (let bin = 0; bin < length; bin++) {
        let [sumRe, sumIm] = [0, 0];
        for (let at = 0; at < length; at++) {
          const [cos, sin] = [
            Math.cos((2 * Math.PI * bin * at) / length),
            -Math.sin((2 * Math.PI * bin * at) / length),
          ];
          sumRe += (kept.re[at] ?? 0) * cos - (kept.im[at] ?? 0) * sin;
          sumIm += (kept.re[at] ?? 0) * sin + (kept.im[at] ?? 0) * cos;
        }
        assert.ok(Math.hypot((re[bin] ?? 0) - sumRe, (im[bin] ?? 0) - sumIm) < 1e-9, `bin ${bin}`);
      }
    });
  }
});
