/**
 * The key/value cache of a slot decoder: per tensor one buffer [slots, heads, capacity, size], allocated once for the
 * largest capacity so far and viewed, never copied, as the graph's input. A step writes one column per row. Capacity
 * follows the longest row closely, since attention is paid over all of it; rows are moved within the buffer.
 * Columns that a row does not use yet are zero: a number that is none, left there by another row, would meet its zero
 * weight in the attention and spoil it.
 */
import type { BatchTensor } from '../task.ts';
import type { GraphPort, Tensors } from './engine.ts';
import { moveRows } from './lines.ts';

/** Capacity comes in so many columns; of long rows in a quarter of the power of two below, so that moves stay rare. */
const notchMin = 16;

interface Plane {
  /** The graph's input and the output that gives its next column. */
  readonly input: string;
  readonly output: string;
  readonly heads: number;
  readonly size: number;
  buffer: Float32Array;
}

export class SlotCache {
  readonly slots: number;
  readonly #positionsMax: number;
  readonly #planes: readonly Plane[];
  #capacity = notchMin;
  /** What the buffers have room for. */
  #room = 0;

  constructor(inputs: readonly GraphPort[], slots: number, positionsMax: number) {
    this.slots = slots;
    this.#positionsMax = positionsMax;
    this.#planes = inputs.filter(({ name }) => name.startsWith('past.')).map(planeOf);
  }

  get capacity(): number {
    return this.#capacity;
  }

  /**
   * Makes room for rows of these lengths and one more column, and gives back what none of them needs. Moving the columns of
   * eight short rows took 60 us, once in eleven steps of 1.4 ms; in powers of two those steps took 1 to 3 % longer.
   */
  fit(lengths: readonly number[]): void {
    const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
    const wanted = this.#capacityFor(longest + 1);
    if (wanted === this.#capacity && this.#room > 0) return;
    for (const plane of this.#planes) this.#relay(plane, wanted, lengths);
    this.#room = Math.max(this.#room, wanted);
    this.#capacity = wanted;
  }

  #capacityFor(columns: number): number {
    const notch = Math.max(notchMin, 2 ** Math.floor(Math.log2(columns)) / 4);
    return Math.max(columns, Math.min(Math.ceil(columns / notch) * notch, this.#positionsMax));
  }

  /** Views of the first `count` slots. */
  feeds(count: number): Tensors {
    const feeds: Record<string, BatchTensor> = {};
    for (const { input, heads, size, buffer } of this.#planes) {
      const dims = [count, heads, this.#capacity, size];
      feeds[input] = { type: 'float32', dims, data: buffer.subarray(0, count * heads * this.#capacity * size) };
    }
    return feeds;
  }

  /** Writes each row's new column behind its `lengths[row]` columns. */
  append(outputs: Tensors, lengths: readonly number[]): void {
    for (const { output, heads, size, buffer } of this.#planes) {
      const column = outputs[output]?.data;
      if (!(column instanceof Float32Array)) throw new Error(`The decoder gave no float32 "${output}".`);
      for (const [row, length] of lengths.entries())
        for (let head = 0; head < heads; head++) {
          const from = (row * heads + head) * size;
          const to = from * this.#capacity + length * size;
          // A view and `set` for every head of every row took four times as long as these few numbers.
          for (let at = 0; at < size; at++) buffer[to + at] = column[from + at] as number;
        }
    }
  }

  /** Row i becomes what row `sources[i]` was; `lengths` are the rows' used columns after the move. */
  arrange(sources: readonly number[], lengths: readonly number[]): void {
    for (const { heads, size, buffer } of this.#planes) {
      const head = this.#capacity * size;
      const row = heads * head;
      moveRows(sources, {
        save: (from) => buffer.slice(from * row, (from + 1) * row),
        copy: (from, to) => {
          const used = (lengths[to] ?? 0) * size;
          for (let at = 0; at < row; at += head) {
            buffer.copyWithin(to * row + at, from * row + at, from * row + at + used);
            buffer.fill(0, to * row + at + used, to * row + at + head);
          }
        },
        restore: (saved, to) => buffer.set(saved, to * row),
      });
    }
  }

  /** For a row that begins here. */
  clear(row: number): void {
    for (const { heads, size, buffer } of this.#planes) {
      const length = heads * this.#capacity * size;
      buffer.fill(0, row * length, (row + 1) * length);
    }
  }

  /** Moves every row's columns to where they belong under another capacity; from the end when rows grow. */
  #relay(plane: Plane, capacity: number, lengths: readonly number[]): void {
    const { heads, size } = plane;
    const before = plane.buffer;
    const wanted = this.slots * heads * capacity * size;
    if (before.length < wanted) plane.buffer = new Float32Array(wanted);
    const after = plane.buffer;
    const lines = lengths.length * heads;
    const grows = capacity > this.#capacity;
    for (let step = 0; step < lines; step++) {
      const line = grows ? lines - 1 - step : step;
      const used = (lengths[Math.floor(line / heads)] ?? 0) * size;
      const from = line * this.#capacity * size;
      const to = line * capacity * size;
      if (after === before) after.copyWithin(to, from, from + used);
      else after.set(before.subarray(from, from + used), to);
      after.fill(0, to + used, to + capacity * size);
    }
  }
}

function planeOf({ name, dims }: GraphPort): Plane {
  const [, heads, , size] = dims;
  if (!heads || !size)
    throw new Error(`The decoder's input "${name}" has no fixed heads and size: ${dims.join(' x ')}.`);
  return { input: name, output: name.replace(/^past\./, 'present.'), heads, size, buffer: new Float32Array(0) };
}
