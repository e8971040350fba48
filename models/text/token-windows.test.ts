import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { planWindows } from './token-windows.ts';

const everywhere = () => true;

describe('windows over the tokens of a long text', () => {
  it('are one where the text fits', () => {
    const plan = { room: 10, stride: 4, startsWord: everywhere };
    assert.deepEqual(planWindows({ ...plan, tokens: 10 }), [{ from: 0, to: 10, keepFrom: 0, keepTo: 10 }]);
    assert.deepEqual(planWindows({ ...plan, tokens: 0 }), [{ from: 0, to: 0, keepFrom: 0, keepTo: 0 }]);
  });

  it('are of one length, share the stride at least, and answer for every token once, where it has most context', () => {
    const plans = fc
      .record({
        tokens: fc.integer({ min: 1, max: 400 }),
        room: fc.integer({ min: 1, max: 60 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      })
      .map(({ tokens, room, share }) => ({ tokens, room, stride: Math.floor(share * (room - 1)) }));
    fc.assert(
      fc.property(plans, ({ tokens, room, stride }) => {
        const windows = planWindows({ tokens, room, stride, startsWord: everywhere });
        const context = (token: number, { from, to }: (typeof windows)[number]) =>
          Math.min(from === 0 ? tokens : token - from, to === tokens ? tokens : to - 1 - token);
        let next = 0;
        for (const [index, window] of windows.entries()) {
          assert.ok(window.to - window.from <= room);
          assert.equal(window.keepFrom, next);
          next = window.keepTo;
          const before = windows[index - 1];
          if (before) assert.ok(before.to - window.from >= stride);
          for (let token = window.keepFrom; token < window.keepTo; token++) {
            assert.ok(token >= window.from && token < window.to);
            for (const other of windows)
              if (token >= other.from && token < other.to)
                assert.ok(context(token, window) >= context(token, other), `${token} in ${JSON.stringify(windows)}`);
          }
        }
        assert.equal(next, tokens);
      }),
    );
  });

  it('leave a word whole to one of two', () => {
    const startsWord = (token: number) => [0, 4, 9, 12].includes(token);
    const [first, second] = planWindows({ tokens: 14, room: 10, stride: 6, startsWord });
    assert.deepEqual([first?.keepTo, second?.keepFrom], [9, 9]);
    const nearer = planWindows({ tokens: 14, room: 10, stride: 6, startsWord: (token) => [6, 9].includes(token) });
    assert.equal(nearer[0]?.keepTo, 6);
    // No word begins in the overlap: the middle is all there is.
    const long = planWindows({ tokens: 14, room: 10, stride: 6, startsWord: (token) => token === 0 });
    assert.equal(long[0]?.keepTo, 7);
  });
});
