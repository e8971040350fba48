import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cutAtPauses } from './pause-cuts.ts';

const sampleRate = 1000;
const options = { sampleRate, length: 10 * sampleRate, context: sampleRate };

/** A tone with a faint hum in the pauses [from, to) that are given in seconds. */
function speech(seconds: number, ...pauses: readonly (readonly [number, number])[]): Float32Array {
  return Float32Array.from({ length: seconds * sampleRate }, (_, at) => {
    const isPause = pauses.some(([from, to]) => at >= from * sampleRate && at < to * sampleRate);
    return (isPause ? 0.002 : 0.5) * Math.sin(at);
  });
}

describe('cutting at pauses', () => {
  it('leaves a recording that fits whole', () => {
    assert.deepEqual(cutAtPauses(speech(10), options), [{ from: 0, to: 10_000, contextLeft: 0, contextRight: 0 }]);
  });

  it('cuts inside the longest quiet of the second half, without overlap', () => {
    const [first, second, ...more] = cutAtPauses(speech(15, [2, 3], [6, 6.1], [7, 7.4]), options);
    assert.ok(first && first.to >= 7100 && first.to <= 7300, `cut at ${first?.to}`);
    assert.deepEqual(second, { from: first.to, to: 15_000, contextLeft: 0, contextRight: 0 });
    assert.deepEqual(more, []);
  });

  it('overlaps where nobody pauses', () => {
    assert.deepEqual(cutAtPauses(speech(15), options), [
      { from: 0, to: 10_000, contextLeft: 0, contextRight: 1000 },
      { from: 8000, to: 15_000, contextLeft: 1000, contextRight: 0 },
    ]);
  });

  it('cuts digital silence late, as late as it can', () => {
    const [first] = cutAtPauses(new Float32Array(15_000), options);
    assert.equal(first?.to, 9900);
  });

  it('covers every sample, with windows that fit and overlap by what they say', () => {
    const pause = fc.tuple(fc.double({ min: 0, max: 60, noNaN: true }), fc.double({ min: 0, max: 2, noNaN: true }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.array(pause, { maxLength: 20 }), (seconds, pauses) => {
        const samples = speech(seconds, ...pauses.map(([at, long]) => [at, at + long] as const));
        const windows = cutAtPauses(samples, options);
        let reached = 0;
        for (const window of windows) {
          assert.equal(window.from + window.contextLeft, reached);
          assert.ok(window.to - window.from <= options.length);
          reached = window.to - window.contextRight;
        }
        assert.equal(reached, samples.length);
      }),
      { numRuns: 50 },
    );
  });
});
