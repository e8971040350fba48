/** Tensors whose first dimension is the batch: their rows, joined, repeated, moved and cut. */
import type { BatchTensor } from '../task.ts';
import { moveRows } from './lines.ts';

function rowSize({ dims }: BatchTensor): number {
  return dims.slice(1).reduce((product, dim) => product * dim, 1);
}

/** One row, without copying. */
export function rowOf(tensor: BatchTensor, row: number): BatchTensor {
  const size = rowSize(tensor);
  return { ...tensor, dims: [1, ...tensor.dims.slice(1)], data: tensor.data.subarray(row * size, (row + 1) * size) };
}

/** One tensor of all rows; a single one is taken as it is. */
export function joinRows(rows: readonly BatchTensor[]): BatchTensor {
  const [first] = rows;
  if (!first) throw new Error('No rows to join.');
  if (rows.length === 1) return first;
  const size = rowSize(first);
  const data = emptyLike(first, rows.length * size);
  for (const [index, row] of rows.entries()) data.set(row.data as never, index * size);
  return { ...first, dims: [rows.length, ...first.dims.slice(1)], data };
}

/** Tensors of [rows, length, width] side by side: each row's lengths behind one another. */
export function joinLengths(tensors: readonly BatchTensor[]): BatchTensor {
  const [count = 0, , width = 0] = tensors[0]?.dims ?? [];
  const length = tensors.reduce((sum, { dims }) => sum + (dims[1] ?? 0), 0);
  const data = new Float32Array(count * length * width);
  let at = 0;
  for (let row = 0; row < count; row++)
    for (const tensor of tensors) {
      const own = rowOf(tensor, row).data as Float32Array;
      data.set(own, at);
      at += own.length;
    }
  return { type: 'float32', dims: [count, length, width], data };
}

/** Rows in their new order, in place; what is behind them is cut off by a view. */
export function arrangeRows(tensor: BatchTensor, sources: readonly number[]): BatchTensor {
  const size = rowSize(tensor);
  const { data } = tensor;
  moveRows(sources, {
    save: (row) => data.slice(row * size, (row + 1) * size),
    copy: (from, to) => data.copyWithin(to * size, from * size, (from + 1) * size),
    restore: (saved, to) => data.set(saved as never, to * size),
  });
  const dims = [sources.length, ...tensor.dims.slice(1)];
  return sources.length === tensor.dims[0]
    ? tensor
    : { ...tensor, dims, data: data.subarray(0, sources.length * size) };
}

function emptyLike({ data }: BatchTensor, length: number): BatchTensor['data'] {
  if (data instanceof Float32Array) return new Float32Array(length);
  return data instanceof BigInt64Array ? new BigInt64Array(length) : new Uint8Array(length);
}

/** Not negative, below 2^31: ids and positions. Low halves first, so that no BigInt is made. */
export function int64(dims: readonly number[], values: ArrayLike<number>): BatchTensor {
  const data = new BigInt64Array(values.length);
  const halves = new Int32Array(data.buffer);
  for (let at = 0; at < values.length; at++) halves[2 * at] = values[at] as number;
  return { type: 'int64', dims, data };
}

export function ones(dims: readonly number[]): BatchTensor {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return { type: 'int64', dims, data: new BigInt64Array(length).fill(1n) };
}
