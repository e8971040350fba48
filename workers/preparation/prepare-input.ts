/**
 * A stored input to rows: fetches what is elsewhere, prepares short texts on the loop and everything else in a thread
 * pool, so that the loop that renews locks never tokenises a long document or decodes an image.
 */
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Piscina } from 'piscina';
import { loadContracts } from '../../models/discover-tasks.ts';
import { type PreparationItem, pipelineFor, prepareItem } from '../../models/preparation/prepare-item.ts';
import type { PreparationResult, PreparationTask, WarmUpTask } from '../../models/preparation/prepare-thread.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { PreparedSource, Row } from '../../models/task.ts';
import type { BlobStore } from '../../shared/blobs/blob-store.ts';
import type { StoredInput } from '../../shared/jobs/job.ts';
import { downloadToFile } from '../../shared/net/guarded-fetch.ts';
import type { AllowedHosts } from '../../shared/net/url-policy.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { LoopSlices } from './loop-slices.ts';
import { rethrowDetails } from './rethrow-details.ts';

/** 2,000 UTF-16 units take about 1 ms in the JavaScript tokeniser; the thread hop costs 0.1 ms. */
const inlineTextMax = 2000;
const downloadMsMax = 30_000;

/** What the runner needs of preparation. */
export interface PreparesItems {
  /** Loads what the model's items will need; resolves when an item would not wait. */
  warm(files: ModelFiles): Promise<void>;
  /** Throws Problem for a fault of the input; rejects when `signal` aborts. */
  prepare(
    input: StoredInput,
    files: ModelFiles,
    parameters: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Row[]>;
  close(): Promise<void>;
}

export interface PreparerOptions {
  readonly blobs: BlobStore;
  readonly allowed: AllowedHosts;
  readonly downloadBytesMax: number;
}

export class Preparer implements PreparesItems {
  readonly #options: PreparerOptions;
  readonly #slices = new LoopSlices();
  readonly #pool: Piscina<PreparationTask | WarmUpTask, PreparationResult>;

  constructor(options: PreparerOptions) {
    this.#options = options;
    this.#pool = new Piscina({
      filename: join(import.meta.dirname, '../../models/preparation/prepare-thread.ts'),
      minThreads: 0,
      maxThreads: availableParallelism(),
      // Threads keep their tokenisers and processors for a minute; loading one costs up to a second.
      idleTimeout: 60_000,
    });
  }

  async prepare(
    input: StoredInput,
    files: ModelFiles,
    parameters: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Row[]> {
    if (input.kind === 'text') {
      const item = { files, source: { kind: 'text', text: input.text } as const, parameters };
      if (input.text.length > inlineTextMax) return await this.#inThread(item);
      return await this.#slices.run(() => prepareItem(item, signal));
    }
    if (input.kind === 'json') throw new Problem('validation-failed', `${files.task} takes no structured input.`);
    if (input.kind === 'blob') {
      const path = await this.#options.blobs.pathOf(input.blob);
      return await this.#inThread({ files, source: { kind: 'file', path, type: input.type }, parameters });
    }
    const path = this.#options.blobs.spoolPath();
    try {
      const source = await this.#fetch(input.url, path, signal);
      return await this.#inThread({ files, source, parameters });
    } finally {
      await rm(path, { force: true });
    }
  }

  async warm(files: ModelFiles): Promise<void> {
    const contract = (await loadContracts()).get(files.task);
    if (contract?.media === 'text') await pipelineFor(files);
    else await this.#pool.run({ warm: files });
  }

  async #fetch(url: string, path: string, signal: AbortSignal): Promise<PreparedSource> {
    const { allowed, downloadBytesMax } = this.#options;
    const { type } = await downloadToFile(url, {
      path,
      bytesMax: downloadBytesMax,
      timeoutMs: downloadMsMax,
      allowed,
      signal,
    });
    return { kind: 'file', path, type };
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #inThread(item: PreparationItem): Promise<Row[]> {
    const result = await this.#pool.run(item);
    if ('rows' in result) return [...result.rows];
    if ('problem' in result) throw rethrowDetails(result.problem);
    throw new Error('Preparation was aborted.');
  }
}
