/**
 * What a client was promised: one fsynced line per acknowledged job, written before the next request. The truth that the
 * store is held against.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

export class Ledger {
  readonly #file: number;
  /** Job id by the client's own number. */
  readonly ids = new Map<number, string>();
  /** Numbers whose repeated submission was answered with another job. */
  readonly changed: number[] = [];

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  /** An acknowledgement. The same number must always come with the same id. */
  acknowledge(number: number, id: string): void {
    const known = this.ids.get(number);
    if (known === id) return;
    if (known !== undefined) this.changed.push(number);
    this.ids.set(number, id);
    writeSync(this.#file, `${number} ${id}\n`);
    fsyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}
