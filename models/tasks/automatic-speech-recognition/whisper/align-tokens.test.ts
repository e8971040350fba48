import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { alignTokens, type HeadAttention } from './align-tokens.ts';

/** A head that looks at frames `from` to `to` (end exclusive) of each token, with a little noise everywhere. */
function headAt(spans: readonly (readonly [number, number])[], framesPerToken: number, seed = 1): HeadAttention {
  const data = new Float32Array(spans.length * framesPerToken);
  for (const [token, [from, to]] of spans.entries())
    for (let frame = 0; frame < framesPerToken; frame++) {
      const noise = Math.sin(seed * 12.9898 + (token * framesPerToken + frame) * 78.233) * 0.01 + 0.01;
      data[token * framesPerToken + frame] = (frame >= from && frame < to ? 1 / (to - from) : 0) + noise;
    }
  return { data, framesPerToken };
}

const spans = [
  [0, 10],
  [10, 14],
  [14, 30],
  [30, 37],
] as const;

describe('aligning tokens with frames', () => {
  it('finds where each token begins, to the frame', () => {
    const heads = [headAt(spans, 40), headAt(spans, 40, 2)];
    assert.deepEqual(alignTokens(heads, { tokens: 4, frames: 37, medianWidth: 7 }), [0, 10, 14, 30]);
  });

  it('looks at no frame behind the end of the recording', () => {
    const first = alignTokens([headAt(spans, 40)], { tokens: 4, frames: 20, medianWidth: 7 });
    assert.ok(first.every((frame) => frame < 20) && first[1] === 10 && first[2] === 14, `${first}`);
  });

  it('never runs backwards, and gives numbers where there is nothing to tell', () => {
    const flat: HeadAttention = { data: new Float32Array(5 * 8).fill(1 / 8), framesPerToken: 8 };
    const sizes = [
      { tokens: 5, frames: 8 },
      { tokens: 5, frames: 2 },
      { tokens: 1, frames: 8 },
      { tokens: 1, frames: 1 },
    ];
    for (const size of sizes) {
      const first = alignTokens([flat], { ...size, medianWidth: 7 });
      assert.equal(first.length, size.tokens);
      assert.equal(first[0], 0);
      for (const [at, frame] of first.entries())
        assert.ok(frame >= (first[at - 1] ?? 0) && frame < size.frames, `${JSON.stringify(size)}: ${first}`);
    }
    // Ties go to the next frame, seen from the end: so transformers' path has it.
    assert.deepEqual(alignTokens([flat], { tokens: 5, frames: 8, medianWidth: 7 }), [0, 0, 0, 0, 0]);
    assert.deepEqual(alignTokens([flat], { tokens: 0, frames: 8, medianWidth: 7 }), []);
  });

  it('aligns the longest text with the longest window', () => {
    const [tokens, frames] = [448, 1500];
    const long = Array.from({ length: tokens }, (_, at) => [at * 3, at * 3 + 3] as const);
    const first = alignTokens([headAt(long, frames), headAt(long, frames, 2)], { tokens, frames, medianWidth: 7 });
    assert.ok(first.every((frame, at) => Math.abs(frame - at * 3) <= 3));
  });
});
