import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SlotCache } from './slot-cache.ts';

const heads = 2;
const input = 'past.0.key';
const output = 'present.0.key';
const port = { name: input, type: 'float32', dims: [null, heads, null, 1] };

/** What the graph gives for a row at a position: told apart by row, head and position. */
const columnOf = (row: number, head: number, position: number) => 1 + row + 10 * head + 100 * position;

function append(cache: SlotCache, lengths: readonly number[]): void {
  const column = lengths.flatMap((length, row) => [columnOf(row, 0, length), columnOf(row, 1, length)]);
  cache.append(
    { [output]: { type: 'float32', dims: [lengths.length, heads, 1, 1], data: Float32Array.from(column) } },
    lengths,
  );
}

function assertColumns(cache: SlotCache, lengths: readonly number[]): void {
  const data = cache.feeds(lengths.length)[input]?.data as Float32Array;
  for (const [row, length] of lengths.entries())
    for (let head = 0; head < heads; head++) {
      const begin = (row * heads + head) * cache.capacity;
      const expected = Array.from({ length }, (_, position) => columnOf(row, head, position));
      assert.deepEqual([...data.subarray(begin, begin + length)], expected, `row ${row}, head ${head}`);
    }
}

describe('the cache of rows in slots', () => {
  it('is little longer than its longest row, and never longer than the model', () => {
    const cache = new SlotCache([port], 1, 440);
    const capacities = [0, 15, 16, 47, 48, 63, 64, 130, 300, 430, 50, 3].map((length) => {
      cache.fit([length]);
      return cache.capacity;
    });
    assert.deepEqual(capacities, [16, 16, 32, 48, 64, 64, 80, 160, 320, 440, 64, 16]);
  });

  it('keeps each row where it looks for it while the longest row grows, leaves and is followed by another', () => {
    const cache = new SlotCache([port], 3, 96);
    const lengths = [0, 0, 0];
    const steps = (count: number, endsAt: number) => {
      for (let step = 0; step < count; step++) {
        cache.fit(lengths);
        append(cache, lengths);
        for (const [row, length] of lengths.entries()) lengths[row] = length + 1 >= endsAt - 20 * row ? 0 : length + 1;
        assertColumns(cache, lengths);
      }
    };
    steps(300, 90);
  });

  it('makes no buffer where it once had room', () => {
    const cache = new SlotCache([port], 2, 96);
    const bufferAt = (length: number) => {
      cache.fit([length, 0]);
      return cache.feeds(2)[input]?.data.buffer;
    };
    const largest = bufferAt(90);
    assert.deepEqual(
      [5, 40, 90].map((length) => bufferAt(length) === largest),
      [true, true, true],
    );
  });
});
