/**
 * Large tensors travel beside the messages of a lane: as the bytes that they are, through a file in memory that both have
 * open. In a message a picture was copied four times, and each copy was garbage. A pipe that was here before this file
 * holds 146,176 of the 150,528 bytes of a picture: the lane blocked for the rest until the loop had its turn again.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row, RowTensor } from '../../models/task.ts';
import type { LaneRow } from './lane-protocol.ts';

/** A read of its own costs a lane 5 us; a tensor of 500 tokens stays in its message. */
export const bulkBytesMin = 32_768;
/** 100 pictures. What a larger call took is given back before the next one. */
const keptBytesMax = 16 * 2 ** 20;
/** The file among the open ones of a lane: behind standard streams and messages. */
const laneFile = 4;
/** Memory where there is such a folder; elsewhere the system's cache of files is as good, but for what it writes to disk. */
const folders = ['/dev/shm', tmpdir()];

/** Stands in a message for a tensor whose data is in the file: `data` is empty. */
interface BulkTensor extends RowTensor {
  readonly bulkBytes: number;
  readonly bulkAt: number;
}

/** The worker's end. A lane has one call at a time, and reads all of it before it answers: each begins at the start. */
export class BulkFile {
  /** Null where no folder takes a file: then all goes in messages. */
  #file: number | null = openUnnamed();
  #end = 0;

  /** What `stdio` of a lane must hold for it. */
  get stdio(): readonly ['ignore', 'ignore', 'inherit', 'ipc', number | 'ignore'] {
    return ['ignore', 'ignore', 'inherit', 'ipc', this.#file ?? 'ignore'];
  }

  /** Writes the large tensors of these rows, and gives the rows as a message holds them. */
  send<R extends LaneRow>(rows: readonly R[]): readonly R[] {
    const file = this.#file;
    if (file === null || !rows.some(({ row }) => hasLarge(row))) return rows;
    if (this.#end > keptBytesMax) ftruncateSync(file, 0);
    this.#end = 0;
    return rows.map((laneRow) => ({ ...laneRow, row: this.#sendRow(laneRow.row, file) }));
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #sendRow(row: Row, file: number): Row {
    const tensors = Object.entries(row.tensors).map(([name, tensor]) => {
      const { data } = tensor;
      if (data.byteLength < bulkBytesMin || !this.#write(data, file)) return [name, tensor] as const;
      const bulk = { bulkBytes: data.byteLength, bulkAt: this.#end - data.byteLength };
      return [name, { ...tensor, data: data.subarray(0, 0).slice(), ...bulk }] as const;
    });
    return { ...row, tensors: Object.fromEntries(tensors) };
  }

  /** False when the folder is full: that tensor goes in its message. */
  #write(data: RowTensor['data'], file: number): boolean {
    try {
      let done = 0;
      while (done < data.byteLength) done += writeSync(file, data, done, data.byteLength - done, this.#end + done);
      this.#end += done;
      return true;
    } catch {
      return false;
    }
  }
}

/** A file without a name is nobody else's, and gone with the last process that has it. */
function openUnnamed(): number | null {
  for (const folder of folders) {
    const path = join(folder, `millrace-lane-${randomUUID()}`);
    try {
      const file = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return file;
    } catch {
      // The next folder.
    }
  }
  return null;
}

function hasLarge({ tensors }: Row): boolean {
  return Object.values(tensors).some(({ data }) => data.byteLength >= bulkBytesMin);
}

/** In the lane: the rows of a message with all of their data. */
export function receiveBulk<R extends LaneRow>(rows: readonly R[]): readonly R[] {
  return rows.map((laneRow) => {
    const tensors = Object.entries(laneRow.row.tensors);
    if (!tensors.some(([, tensor]) => isBulk(tensor))) return laneRow;
    const whole = tensors.map(([name, tensor]) => [name, isBulk(tensor) ? receive(tensor) : tensor] as const);
    return { ...laneRow, row: { ...laneRow.row, tensors: Object.fromEntries(whole) } };
  });
}

function receive({ bulkBytes, bulkAt, ...tensor }: BulkTensor): RowTensor {
  const bytes = new Uint8Array(bulkBytes);
  for (let at = 0; at < bulkBytes; ) {
    const read = readSync(laneFile, bytes, at, bulkBytes - at, bulkAt + at);
    if (read === 0) throw new Error(`A tensor of ${bulkBytes} bytes ends after ${at}.`);
    at += read;
  }
  const { type } = tensor;
  if (type === 'uint8') return { ...tensor, data: bytes };
  return { ...tensor, data: type === 'float32' ? new Float32Array(bytes.buffer) : new Int32Array(bytes.buffer) };
}

function isBulk(tensor: RowTensor): tensor is BulkTensor {
  return 'bulkBytes' in tensor;
}
