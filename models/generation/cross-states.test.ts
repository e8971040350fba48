import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CrossStates } from './cross-states.ts';
import type { Tensors } from './engine.ts';

const port = (name: string) => ({ name, type: 'float32', dims: [null, 1, null, 1] });
/** One number for each of so many positions. */
const statesOf = (length: number, value: number): Tensors => ({
  'cross.0.key': { type: 'float32', dims: [1, 1, length, 1], data: new Float32Array(length).fill(value) },
});
const rowsIn = (cross: CrossStates) => [...(cross.feeds()['cross.0.key']?.data ?? [])].map(Number);

describe('what the encoder gave for the rows in slots', () => {
  it('of another length waits where the graph has no mask, until the last row has left', () => {
    const cross = new CrossStates([port('cross.0.key')], 4);
    cross.put(statesOf(3, 1), 0);
    cross.put(statesOf(3, 2), 1);
    assert.equal(cross.fits(statesOf(2, 3)), false);
    cross.drop(0);
    assert.equal(cross.fits(statesOf(2, 3)), false);
    cross.drop(1);
    assert.ok(cross.fits(statesOf(2, 3)));
    cross.put(statesOf(2, 3), 0);
    cross.arrange([0]);
    assert.deepEqual(rowsIn(cross), [3, 3]);
  });

  it('takes the place of a row that has left, and zeros follow where the graph masks what is shorter', () => {
    const cross = new CrossStates([port('cross.0.key'), { name: 'cross_mask', type: 'int64', dims: [null, null] }], 4);
    cross.put(statesOf(3, 1), 0);
    cross.put(statesOf(2, 2), 1);
    cross.drop(0);
    cross.put(statesOf(1, 5), 0);
    assert.deepEqual(rowsIn(cross), [5, 0, 0, 2, 2, 0]);
    assert.deepEqual([...(cross.feeds()['cross_mask']?.data ?? [])], [1n, 0n, 0n, 1n, 1n, 0n]);
  });
});
