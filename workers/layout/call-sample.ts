/**
 * Some of the calls that ran, with copies of their rows: what layouts are raced on is what this machine really does. Held in
 * memory only, a few megabytes at most, and gone once it was raced.
 */
import type { Row, RowTensor } from '../../models/task.ts';

export interface SampledCall {
  /** Unit. */
  readonly model: string;
  readonly rows: readonly Row[];
  /** What it took here: how much work it is. */
  readonly ms: number;
}

const callsMax = 24;
/** A call that is larger is not kept: 24 of these are 24 MB. */
const bytesMax = 2 ** 20;

export class CallSample {
  readonly #calls: SampledCall[] = [];
  #seen = 0;

  /** Calls that were offered since the last `clear`. */
  get seen(): number {
    return this.#seen;
  }

  get calls(): readonly SampledCall[] {
    return this.#calls;
  }

  /** Each call that was offered has the same chance to be among those that are kept. */
  offer(call: SampledCall, random: () => number = Math.random): void {
    this.#seen++;
    const at = this.#calls.length < callsMax ? this.#calls.length : Math.floor(random() * this.#seen);
    if (at < callsMax && bytesOf(call.rows) <= bytesMax) this.#calls[at] = { ...call, rows: call.rows.map(copyOf) };
  }

  clear(): void {
    this.#calls.length = 0;
    this.#seen = 0;
  }
}

function bytesOf(rows: readonly Row[]): number {
  let bytes = 0;
  for (const { tensors } of rows) for (const { data } of Object.values(tensors)) bytes += data.byteLength;
  return bytes;
}

/** The row's own memory is given back when its call has ended, and may be a small part of something large. */
function copyOf(row: Row): Row {
  const tensors = Object.entries(row.tensors).map(([name, tensor]): [string, RowTensor] => [
    name,
    { ...tensor, data: tensor.data.slice() },
  ]);
  return { ...row, tensors: Object.fromEntries(tensors) };
}
