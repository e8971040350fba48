/**
 * Media that the record keeps under the policy `full`: a second name for the blob's file (a copy across file systems), by
 * day, so that it outlives its job. Knows files; which rows name them is the database's business.
 */
import { copyFile, link, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import type { BlobStore } from '../../shared/blobs/blob-store.ts';
import type { JobRequest, StoredInput } from '../../shared/jobs/job.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { traceIdOf } from '../../shared/observability/trace-context.ts';

export class KeptMedia {
  readonly #root: string;
  readonly #blobs: BlobStore;
  readonly #logger: Logger;

  constructor(dataDir: string, blobs: BlobStore, logger: Logger) {
    this.#root = resolve(dataDir, 'prediction-media');
    this.#blobs = blobs;
    this.#logger = logger;
  }

  /** Names by item of what could be kept. Doing it twice changes nothing. */
  async keep(
    job: JobRequest,
    inputs: readonly StoredInput[],
    finishedMs: number,
  ): Promise<ReadonlyMap<number, string>> {
    const kept = new Map<number, string>();
    for (const [item, input] of inputs.entries()) {
      if (input.kind !== 'blob') continue;
      const name = `${new Date(finishedMs).toISOString().slice(0, 10)}/${job.tenant}-${job.id}-${item}`;
      try {
        await this.#link(await this.#blobs.pathOf(input.blob), join(this.#root, name));
        kept.set(item, name);
      } catch (error) {
        const trace = traceIdOf(job.traceparent);
        this.#logger.warn({ err: error, job: job.id, trace, item }, 'prediction log: media can not be kept');
      }
    }
    return kept;
  }

  /** Path and size; null when it is gone. */
  async find(name: string): Promise<{ path: string; bytes: number } | null> {
    const path = this.#pathOf(name);
    const found = await stat(path).catch(() => null);
    return found && { path, bytes: found.size };
  }

  async remove(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => rm(this.#pathOf(name), { force: true })));
  }

  /** Deletes the folders of days before `day` (2026-01-31). */
  async sweep(day: string): Promise<void> {
    const days = await readdir(this.#root).catch(() => []);
    for (const name of days) if (name < day) await rm(join(this.#root, name), { recursive: true, force: true });
  }

  #pathOf(name: string): string {
    const path = resolve(this.#root, name);
    if (!path.startsWith(this.#root + sep)) throw new Error('a name of kept media leaves its folder');
    return path;
  }

  async #link(from: string, to: string): Promise<void> {
    await mkdir(resolve(to, '..'), { recursive: true, mode: 0o700 });
    try {
      await link(from, to);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return;
      if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'ENOTSUP') throw error;
      await copyFile(from, to);
    }
  }
}
