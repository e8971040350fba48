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
      const unused = Array.from({ length: cache.capacity - length }, () => 0);
      const found = [...data.subarray(begin, begin + cache.capacity)];
      assert.deepEqual(found, [...expected, ...unused], `row ${row}, head ${head}`);
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
        for (const [row, length] of lengths.entries()) {
          const isOver = length + 1 >= endsAt - 20 * row;
          lengths[row] = isOver ? 0 : length + 1;
          if (isOver) cache.clear(row);
        }
        assertColumns(cache, lengths);
      }
    };
    steps(300, 90);
  });

  it('leaves nothing of a row that moved where another will begin', () => {
    const cache = new SlotCache([port], 3, 96);
    cache.fit([0, 0, 0]);
    for (let length = 0; length < 4; length++) append(cache, [length, length, length]);
    cache.arrange([0, 2], [4, 3]);
    const data = cache.feeds(2)[input]?.data as Float32Array;
    assert.deepEqual([...data.subarray(2 * cache.capacity, 2 * cache.capacity + 4)], [3, 103, 203, 0]);
    cache.fit([16, 3]);
    const moved = cache.feeds(3)[input]?.data as Float32Array;
    assert.equal(
      moved.subarray(2 * cache.capacity + 3, 3 * cache.capacity).every((value) => value === 0),
      true,
    );
    cache.clear(2);
    assert.deepEqual([...moved.subarray(4 * cache.capacity)], Array(2 * cache.capacity).fill(0));
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
