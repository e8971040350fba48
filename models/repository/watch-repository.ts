/**
 * Follows model directories while a process runs: looks at them every two seconds and tells when what can be served has
 * changed. A folder counts as changed once it has rested from one look to the next, so that a copy under way is not
 * taken for a model. Polls, since change events of file systems do not cross bind mounts and network drives.
 *
 * States of a folder: unseen -> changing -> at rest (read once, remembered) -> changing ... What was read last stays
 * while a folder changes, and while its whole directory is away: a network drive that hangs unloads nothing.
 */
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { loadContracts, type TaskContracts } from '../discover-tasks.ts';
import { printOf } from './fingerprint.ts';
import { ModelFault } from './manifest.ts';
import type { ModelRepository } from './model-files.ts';
import { type ReadModel, readModel } from './read-model.ts';
import { scanRepository } from './scan-repository.ts';

const lookEveryMs = 2000;

export interface WatchParts {
  readonly directories: readonly string[];
  readonly contracts?: TaskContracts;
  /** Called with what can be served now, when that is not what it was; one call at a time. */
  readonly onChange: (repository: ModelRepository) => Promise<void> | void;
  readonly onFault: (error: unknown) => void;
  readonly lookEveryMs?: number;
}

/** What reading a folder gave, and the state of its files then. */
interface Memory {
  readonly print: string;
  readonly result: ReadModel | ModelFault;
}

export class RepositoryWatch {
  readonly #parts: WatchParts;
  readonly #memories = new Map<string, Memory>();
  /** Prints of the look before. */
  #before = new Map<string, string>();
  /** Directories that held something once. */
  readonly #known = new Set<string>();
  #repository: ModelRepository = { models: [], broken: [] };
  #looking: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** What can be served now. Folders are taken as they are: nothing is served that would have to go on. */
  async start(): Promise<ModelRepository> {
    this.#repository = await this.#scan(true);
    this.#schedule();
    return this.#repository;
  }

  /** Looks now; resolves when what changed has been told. */
  async look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#compare()).catch((error) => this.#parts.onFault(error));
    await this.#looking;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #schedule(): void {
    if (this.#isStopped) return;
    const ms = this.#parts.lookEveryMs ?? lookEveryMs;
    this.#timer = setTimeout(() => void this.look().finally(() => this.#schedule()), ms);
    this.#timer.unref();
  }

  async #compare(): Promise<void> {
    if (await this.#isAnyAway()) return;
    const repository = await this.#scan(false);
    if (JSON.stringify(repository) === JSON.stringify(this.#repository)) return;
    this.#repository = repository;
    await this.#parts.onChange(repository);
  }

  async #isAnyAway(): Promise<boolean> {
    const lists = [...this.#known].map((directory) =>
      readdir(directory).then(
        () => false,
        () => true,
      ),
    );
    return (await Promise.all(lists)).includes(true);
  }

  async #scan(isFirst: boolean): Promise<ModelRepository> {
    const contracts = this.#parts.contracts ?? (await loadContracts());
    const prints = new Map<string, string>();
    const repository = await scanRepository(this.#parts.directories, contracts, async (folder, id) => {
      const print = await printOf(folder);
      prints.set(folder, print);
      return this.#remember(folder, print, isFirst || this.#before.get(folder) === print, () =>
        readModel(folder, id, contracts),
      );
    });
    this.#before = prints;
    for (const folder of this.#memories.keys()) if (!prints.has(folder)) this.#memories.delete(folder);
    for (const folder of prints.keys()) this.#known.add(resolve(folder, '..'));
    return repository;
  }

  async #remember(
    folder: string,
    print: string,
    isAtRest: boolean,
    read: () => Promise<ReadModel>,
  ): Promise<ReadModel> {
    let memory = this.#memories.get(folder);
    if (memory?.print !== print && isAtRest) {
      memory = { print, result: await read().catch(asFault) };
      this.#memories.set(folder, memory);
    }
    if (!memory) throw new ModelFault('Its files are still changing; it is read once they have been at rest for 2 s.');
    if (memory.result instanceof ModelFault) throw memory.result;
    return memory.result;
  }
}

/** What was expected is remembered; anything else (no memory, no file handles) is tried again at the next look. */
function asFault(error: unknown): ModelFault {
  if (error instanceof ModelFault) return error;
  throw error;
}
