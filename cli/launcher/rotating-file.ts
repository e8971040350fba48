/** A log file that never grows past its bound: full files move to `<name>.1.log`, `<name>.2.log`, and then away. */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const fileBytesMax = 10 * 2 ** 20;
const filesMax = 3;

export class RotatingFile {
  readonly #base: string;
  readonly #bytesMax: number;
  #fd: number | undefined;
  #bytes = 0;

  constructor(folder: string, name: string, bytesMax = fileBytesMax) {
    mkdirSync(folder, { recursive: true });
    this.#base = join(folder, name);
    this.#bytesMax = bytesMax;
  }

  /** Never throws: a full disk must not end the system that the log describes. */
  write(line: string): void {
    try {
      const bytes = Buffer.from(`${line}\n`);
      if (this.#bytes + bytes.length > this.#bytesMax) this.#rotate();
      this.#fd ??= this.#open();
      writeSync(this.#fd, bytes);
      this.#bytes += bytes.length;
    } catch {
      // the line is lost; the next one tries again
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): number {
    const fd = openSync(this.#name(0), 'a', 0o600);
    this.#bytes = fstatSync(fd).size;
    return fd;
  }

  #rotate(): void {
    this.close();
    for (let index = filesMax - 2; index >= 0; index -= 1) {
      try {
        renameSync(this.#name(index), this.#name(index + 1));
      } catch {
        // there is no such file yet
      }
    }
    this.#bytes = 0;
  }

  #name(index: number): string {
    return index === 0 ? `${this.#base}.log` : `${this.#base}.${index}.log`;
  }
}
