/**
 * What the encoder gave for each row of a slot decoder: one buffer per tensor with a row per slot, copied in when a row
 * begins and viewed from then on. Rows may have states of different length where the graph takes `cross_mask`.
 */
import type { BatchTensor } from '../task.ts';
import type { GraphPort, Tensors } from './engine.ts';
import { moveRows } from './lines.ts';

interface Plane {
  readonly heads: number;
  readonly size: number;
  buffer: Float32Array;
}

export class CrossStates {
  readonly #slots: number;
  readonly #names: readonly string[];
  readonly #isMasked: boolean;
  readonly #planes = new Map<string, Plane>();
  /** States per row of the buffers: the longest so far. */
  #length = 0;
  /** By place; 0 where a row has left. */
  #lengths: number[] = [];

  constructor(inputs: readonly GraphPort[], slots: number) {
    this.#slots = slots;
    this.#names = inputs.map(({ name }) => name).filter((name) => /^cross\.\d+\./.test(name));
    this.#isMasked = inputs.some(({ name }) => name === 'cross_mask');
  }

  /** False where a row's states are of another length than its mates' and the graph has no mask for that. */
  fits(states: Tensors): boolean {
    return this.#isMasked || this.#isEmpty || this.#lengthOf(states) === this.#length;
  }

  /** Of one line, whose place is free or the next one. */
  put(states: Tensors, place: number): void {
    const length = this.#lengthOf(states);
    if (length > this.#length || (this.#isEmpty && length !== this.#length)) this.#resize(length, states);
    this.#write(states, length, place);
    this.#lengths[place] = length;
  }

  drop(place: number): void {
    this.#lengths[place] = 0;
  }

  get #isEmpty(): boolean {
    return this.#lengths.every((length) => length === 0);
  }

  feeds(): Tensors {
    const count = this.#lengths.length;
    const feeds: Record<string, BatchTensor> = {};
    for (const [name, { heads, size, buffer }] of this.#planes) {
      const dims = [count, heads, this.#length, size];
      feeds[name] = { type: 'float32', dims, data: buffer.subarray(0, count * heads * this.#length * size) };
    }
    if (this.#isMasked) feeds['cross_mask'] = this.#mask();
    return feeds;
  }

  arrange(sources: readonly number[]): void {
    for (const { heads, size, buffer } of this.#planes.values()) {
      const row = heads * this.#length * size;
      moveRows(sources, {
        save: (from) => buffer.slice(from * row, (from + 1) * row),
        copy: (from, to) => buffer.copyWithin(to * row, from * row, (from + 1) * row),
        restore: (saved, to) => buffer.set(saved, to * row),
      });
    }
    this.#lengths = sources.map((source) => this.#lengths[source] ?? 0);
  }

  #lengthOf(states: Tensors): number {
    return states[this.#names[0] ?? '']?.dims[2] ?? 0;
  }

  /** Larger buffers when they are too small; rows that are there keep their states. */
  #resize(length: number, states: Tensors): void {
    const before = this.#length;
    for (const name of this.#names) {
      const [, heads = 0, , size = 0] = states[name]?.dims ?? [];
      const old = this.#planes.get(name)?.buffer ?? new Float32Array(0);
      const room = this.#slots * heads * length * size;
      const buffer = this.#isEmpty && old.length >= room ? old : new Float32Array(room);
      const lines = this.#isEmpty ? 0 : this.#lengths.length * heads;
      for (let line = 0; line < lines; line++)
        buffer.set(old.subarray(line * before * size, (line + 1) * before * size), line * length * size);
      this.#planes.set(name, { heads, size, buffer });
    }
    this.#length = length;
  }

  #write(states: Tensors, length: number, slot: number): void {
    for (const [name, { heads, size, buffer }] of this.#planes) {
      const data = states[name]?.data;
      if (!(data instanceof Float32Array)) throw new Error(`The encoder gave no float32 "${name}".`);
      for (let head = 0; head < heads; head++) {
        const line = slot * heads + head;
        buffer.set(data.subarray(head * length * size, (head + 1) * length * size), line * this.#length * size);
        // Another row's states may lie there: finite, but zeros are cheaper to reason about.
        buffer.fill(0, (line * this.#length + length) * size, (line + 1) * this.#length * size);
      }
    }
  }

  #mask(): BatchTensor {
    const data = new BigInt64Array(this.#lengths.length * this.#length);
    for (const [row, length] of this.#lengths.entries()) data.fill(1n, row * this.#length, row * this.#length + length);
    return { type: 'int64', dims: [this.#lengths.length, this.#length], data };
  }
}
