/**
 * Large tensors travel beside the messages of a lane: as the bytes that they are, on a pipe of their own, in the order of
 * the rows. In a message a picture was copied four times, and each copy was garbage: with rows that stay until they are
 * collected, a worker's collector took 1.7 ms of CPU a photo, more than claiming, storing and telling it together.
 */
import { readSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { freeMemory } from '../../models/free-memory.ts';
import type { BatchTensor, Row, RowTensor } from '../../models/task.ts';
import type { LaneRow } from './lane-protocol.ts';

/** A read of its own costs a lane 5 us; a tensor of 500 tokens stays in its message. */
export const bulkBytesMin = 32_768;
/** The pipe among the open files of a lane: behind standard streams and messages. */
const bulkFile = 4;
/** What `stdio` of a lane must hold for it. */
export const bulkStdio = ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'] as const;

/** Stands in a message for a tensor whose data comes beside it: `data` is empty. */
interface BulkTensor extends RowTensor {
  readonly bulkBytes: number;
}

/** Writes the large tensors of these rows to a lane's pipe, and gives the rows as its message holds them. */
export function sendBulk<R extends LaneRow>(rows: readonly R[], pipe: Writable): readonly R[] {
  if (!rows.some(({ row }) => hasLarge(row))) return rows;
  pipe.cork();
  const left = rows.map((laneRow) => ({ ...laneRow, row: sendRow(laneRow.row, pipe) }));
  pipe.uncork();
  return left;
}

function hasLarge({ tensors }: Row): boolean {
  return Object.values(tensors).some(({ data }) => data.byteLength >= bulkBytesMin);
}

function sendRow(row: Row, pipe: Writable): Row {
  const tensors = Object.entries(row.tensors).map(([name, tensor]) => {
    const { data } = tensor;
    if (data.byteLength < bulkBytesMin) return [name, tensor] as const;
    pipe.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return [name, { ...tensor, data: data.subarray(0, 0).slice(), bulkBytes: data.byteLength }] as const;
  });
  return { ...row, tensors: Object.fromEntries(tensors) };
}

/** In the lane: the rows of a message with all of their data. Blocks until that is there; the parent's death ends it. */
export function receiveBulk<R extends LaneRow>(rows: readonly R[]): readonly R[] {
  return rows.map((laneRow) => {
    const tensors = Object.entries(laneRow.row.tensors);
    if (!tensors.some(([, tensor]) => isBulk(tensor))) return laneRow;
    const whole = tensors.map(([name, tensor]) => [name, isBulk(tensor) ? receive(tensor) : tensor] as const);
    return { ...laneRow, row: { ...laneRow.row, tensors: Object.fromEntries(whole) } };
  });
}

function receive({ bulkBytes, ...tensor }: BulkTensor): RowTensor {
  const bytes = new Uint8Array(bulkBytes);
  for (let at = 0; at < bulkBytes; ) {
    const read = readSync(bulkFile, bytes, at, bulkBytes - at, null);
    if (read === 0) process.exit(0);
    at += read;
  }
  const { type } = tensor;
  if (type === 'uint8') return { ...tensor, data: bytes };
  return { ...tensor, data: type === 'float32' ? new Float32Array(bytes.buffer) : new Int32Array(bytes.buffer) };
}

/** Frees the large ones of a row or a batch whose call has ended. */
export function freeBulk(tensors: Readonly<Record<string, RowTensor | BatchTensor>>): void {
  for (const { data } of Object.values(tensors)) if (data.byteLength >= bulkBytesMin) freeMemory(data);
}

function isBulk(tensor: RowTensor): tensor is BulkTensor {
  return 'bulkBytes' in tensor;
}
