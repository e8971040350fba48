/**
 * Keeps what calls cost over a restart: one JSON file per hardware under `<data directory>/costs`, one entry per unit
 * (a model's version in one state of its files). Read at start, written every minute in which calls ran, and at the end.
 * It only saves learning, so nothing ever waits for it or fails by it: a file that can not be read is left out with a
 * warning, one that can not be written is tried again. Workers of one kind that share a directory share the file: each
 * keeps what the others wrote of models that it has not run itself; of one model the last to write wins.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../../shared/files/replace-file.ts';
import type { Logger } from '../../../shared/observability/logger.ts';
import { type Hardware, hashHardware } from './hardware.ts';
import { type ModelMemory, modelMemory, modelsMax } from './model-memory.ts';

const writeMs = 60_000;
const bytesMax = 4 * 2 ** 20;
/** A driver, a kernel or a neighbour changes more than that in a season. */
const daysMax = 90;
/** Files of other hardware that once had this directory. */
const filesMax = 16;
/** A double's 17 digits are three times the file for nothing. */
const digits = 7;

const costs = z.object({
  format: z.literal(1),
  models: z.record(z.string(), modelMemory.extend({ at: z.iso.datetime() })),
});

type Entry = ModelMemory & { readonly at: string };

export class CostFile {
  readonly #folder: string;
  readonly #name: string;
  readonly #hardware: Hardware;
  readonly #logger: Logger;
  /** By unit, the oldest first. */
  #entries = new Map<string, Entry>();
  #source: () => Map<string, ModelMemory> = () => new Map();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #written = '';

  private constructor(dataDir: string, hardware: Hardware, logger: Logger) {
    this.#folder = join(dataDir, 'costs');
    this.#name = `${hashHardware(hardware)}.json`;
    this.#hardware = hardware;
    this.#logger = logger;
  }

  static async open(dataDir: string, hardware: Hardware, logger: Logger): Promise<CostFile> {
    const file = new CostFile(dataDir, hardware, logger);
    await file.#read();
    return file;
  }

  get remembered(): ReadonlyMap<string, ModelMemory> {
    return this.#entries;
  }

  /** From now on what `source` says is kept. */
  keep(source: () => Map<string, ModelMemory>): void {
    this.#source = source;
    this.#timer = setInterval(() => void this.#write(), writeMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#write();
  }

  async #read(): Promise<void> {
    const path = join(this.#folder, this.#name);
    try {
      const { size } = await stat(path);
      if (size > bytesMax) throw new Error(`${size} bytes; ${bytesMax} are the most`);
      const { models } = costs.parse(JSON.parse(await readFile(path, 'utf8')));
      const oldest = new Date(Date.now() - daysMax * 86_400_000).toISOString();
      this.#entries = new Map(Object.entries(models).filter(([, { at }]) => at > oldest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      const reason = (error as Error).message.slice(0, 300);
      this.#logger.warn({ path, reason }, 'what calls cost can not be read; learning it anew');
    }
  }

  /** One at a time. */
  #write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#tryWrite());
    return this.#writing;
  }

  async #tryWrite(): Promise<void> {
    const memories = this.#source();
    const facts = JSON.stringify([...memories]);
    if (memories.size === 0 || facts === this.#written) return;
    await this.#read();
    const at = new Date().toISOString();
    for (const [unit, memory] of memories) {
      this.#entries.delete(unit);
      this.#entries.set(unit, { ...memory, at });
    }
    this.#entries = new Map([...this.#entries].slice(-modelsMax));
    try {
      await this.#replace();
      this.#written = facts;
      await this.#tidy();
    } catch (error) {
      this.#logger.warn({ folder: this.#folder, reason: (error as Error).message }, 'what calls cost can not be kept');
    }
  }

  async #replace(): Promise<void> {
    const facts = { format: 1, hardware: this.#hardware, models: Object.fromEntries(this.#entries) };
    await replaceFile(join(this.#folder, this.#name), `${JSON.stringify(facts, shorten)}\n`);
  }

  /** Drafts of processes that were killed count as files, too. */
  async #tidy(): Promise<void> {
    const names = await readdir(this.#folder);
    if (names.length <= filesMax) return;
    const ages = await Promise.all(
      names.map(async (name) => ({ name, at: (await stat(join(this.#folder, name))).mtimeMs })),
    );
    ages.sort((a, b) => b.at - a.at);
    for (const { name } of ages.slice(filesMax)) await rm(join(this.#folder, name), { force: true });
  }
}

function shorten(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(digits)) : value;
}
