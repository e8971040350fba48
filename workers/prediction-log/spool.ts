/**
 * Steps on disk while the database is away: files that are only appended to, fsynced before anything is acknowledged,
 * read back in order and deleted when the database has them. Memory holds one chunk of a file, however long it takes.
 *
 * A file that a crash cut short ends with half a line: it was never acknowledged, so it is cut off. A file that was
 * half replayed is replayed whole: rows have ids, and an erasure follows the rows that it erases.
 */
import { type FileHandle, mkdir, open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { fromLine, type LogStep, toLine } from './log-step.ts';

const fileBytesMax = 16 * 2 ** 20;
const readBytes = 2 ** 20;
const pattern = /^\d{10}\.steps$/;

export interface SpooledSteps {
  readonly steps: readonly LogStep[];
  /** Call it when the database has them. */
  done(): Promise<void>;
}

interface SpoolFile {
  readonly name: string;
  bytes: number;
}

export class Spool {
  readonly #folder: string;
  readonly #fileBytesMax: number;
  readonly #files: SpoolFile[] = [];
  #writing: FileHandle | undefined;
  /** Bytes of the first file that the database has. */
  #readTo = 0;
  #oldestMs: number | null = null;
  /** Appending and dropping take turns: a file that is being written must not be deleted as read. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(folder: string, bytesMax = fileBytesMax) {
    this.#folder = folder;
    this.#fileBytesMax = bytesMax;
  }

  async open(): Promise<void> {
    // Rows may hold inputs: no other user of the machine reads them.
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const names = (await readdir(this.#folder)).filter((name) => pattern.test(name)).sort();
    for (const name of names) {
      const bytes = await this.#cutTorn(join(this.#folder, name));
      this.#files.push({ name, bytes });
    }
    await this.#dropEmpty();
    if (this.#files.length > 0) this.#oldestMs = (await this.#readHead())?.steps[0]?.atMs ?? null;
  }

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** Bytes that the database has not. */
  get bytes(): number {
    return this.#files.reduce((sum, file) => sum + file.bytes, 0) - this.#readTo;
  }

  /** When the oldest waiting step happened. */
  get oldestMs(): number | null {
    return this.#oldestMs;
  }

  /** Resolves when the steps are on disk. After an error nothing of them counts. */
  async append(steps: readonly LogStep[]): Promise<void> {
    await this.#inTurn(() => this.#append(steps));
  }

  async #append(steps: readonly LogStep[]): Promise<void> {
    const bytes = Buffer.from(steps.map(toLine).join(''));
    const file = await this.#fileToWrite();
    const handle = this.#writing as FileHandle;
    try {
      await handle.write(bytes, 0, bytes.length, file.bytes);
      await handle.datasync();
    } catch (error) {
      // A full disk leaves half a line: it must not stand in front of the next one.
      await handle.truncate(file.bytes).catch(() => {});
      throw error;
    }
    this.#oldestMs ??= steps[0]?.atMs ?? null;
    file.bytes += bytes.length;
  }

  /** The oldest steps, about a megabyte of them; null when there are none. */
  async read(): Promise<SpooledSteps | null> {
    const head = await this.#readHead();
    if (!head) return null;
    this.#oldestMs = head.steps[0]?.atMs ?? this.#oldestMs;
    return {
      steps: head.steps,
      done: () =>
        this.#inTurn(async () => {
          this.#readTo += head.bytes;
          await this.#dropEmpty();
          if (this.isEmpty) this.#oldestMs = null;
        }),
    };
  }

  async close(): Promise<void> {
    await this.#inTurn(() => this.#closeFile());
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return await turn;
  }

  async #closeFile(): Promise<void> {
    await this.#writing?.close();
    this.#writing = undefined;
  }

  async #fileToWrite(): Promise<SpoolFile> {
    const last = this.#files.at(-1);
    if (last && this.#writing && last.bytes < this.#fileBytesMax) return last;
    await this.#closeFile();
    const number = last ? Number.parseInt(last.name, 10) + 1 : 1;
    const file = { name: `${String(number).padStart(10, '0')}.steps`, bytes: 0 };
    this.#writing = await open(join(this.#folder, file.name), 'wx', 0o600);
    await syncFolder(this.#folder);
    this.#files.push(file);
    return file;
  }

  /** Whole lines from where the database is; a line longer than a chunk is read whole. */
  async #readHead(): Promise<{ steps: LogStep[]; bytes: number } | null> {
    const [file] = this.#files;
    if (!file || file.bytes <= this.#readTo) return null;
    const handle = await open(join(this.#folder, file.name), 'r');
    try {
      for (let size = readBytes; ; size *= 2) {
        const length = Math.min(size, file.bytes - this.#readTo);
        const { buffer } = await handle.read(Buffer.alloc(length), 0, length, this.#readTo);
        const end = buffer.lastIndexOf(0x0a) + 1;
        if (end === 0 && length === size) continue;
        const lines = buffer.toString('utf8', 0, end).split('\n');
        const steps = lines.map(fromLine).filter((step) => step !== null);
        return { steps, bytes: end === 0 ? length : end };
      }
    } finally {
      await handle.close();
    }
  }

  /** Files that the database has whole are deleted, oldest first, so that what is left is always the newest part. */
  async #dropEmpty(): Promise<void> {
    while (this.#files[0] && this.#readTo >= this.#files[0].bytes) {
      const [file] = this.#files;
      if (this.#files.length === 1) await this.#closeFile();
      await rm(join(this.#folder, (file as SpoolFile).name), { force: true });
      await syncFolder(this.#folder);
      this.#readTo -= (file as SpoolFile).bytes;
      this.#files.shift();
    }
  }

  /** Bytes up to the last whole line; the rest is cut off. */
  async #cutTorn(path: string): Promise<number> {
    const { size } = await stat(path);
    const handle = await open(path, 'r');
    let end = size;
    try {
      const chunk = Buffer.alloc(65_536);
      while (end > 0) {
        const from = Math.max(0, end - chunk.length);
        const { bytesRead } = await handle.read(chunk, 0, end - from, from);
        const newline = chunk.subarray(0, bytesRead).lastIndexOf(0x0a);
        end = newline < 0 ? from : from + newline + 1;
        if (newline >= 0) break;
      }
    } finally {
      await handle.close();
    }
    if (end < size) await truncate(path, end);
    return end;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
