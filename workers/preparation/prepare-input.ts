/**
 * A stored input to rows: fetches what is elsewhere, prepares short texts on the loop and everything else in a thread
 * pool, so that the loop that feeds lanes never tokenises a long document or decodes an image. Parts of rows to an output
 * likewise.
 */
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Piscina } from 'piscina';
import { loadContracts } from '../../models/discover-tasks.ts';
import { countCharacters } from '../../models/preparation/count-characters.ts';
import { abortItem, hasBegun, newItemState } from '../../models/preparation/item-state.ts';
import { type MergingItem, mergeItem } from '../../models/preparation/merge-item.ts';
import { type PreparationItem, pipelineFor, prepareItem } from '../../models/preparation/prepare-item.ts';
import type { PreparationResult, ThreadTask } from '../../models/preparation/prepare-thread.ts';
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
/** A window of 128 tokens takes 0.1 to 0.2 ms to join and encode; the longest text has 1,300 (130 to 200 ms in all). */
const inlinePartsMax = 16;
const downloadMsMax = 30_000;
/** From the moment that a thread has the item: the longest audio taken decodes in a few seconds. */
const threadMsMax = 120_000;
/** How often the loop looks for an item that is late: one begun is ended up to an eighth after its time. */
const deadlineLooks = 8;
/** A thread that was told to stop and has not after this long hangs, and is ended with all tokenisers that it holds. */
const abortMsMax = 5000;

/** Whose item is prepared. The signal is made when it is first asked for: a short text never does. */
export interface PreparationScope {
  readonly signal: AbortSignal;
}

/** What the runner needs of preparation. */
export interface PreparesItems {
  /** Loads what the model's items will need; resolves when an item would not wait. */
  warm(files: ModelFiles): Promise<void>;
  /** Throws Problem for a fault of the input; rejects when the scope's signal aborts. */
  prepare(
    input: StoredInput,
    files: ModelFiles,
    parameters: Readonly<Record<string, unknown>>,
    scope: PreparationScope,
  ): Promise<Row[]>;
  /** The output of an item from what its rows became, as it is kept. Throws Problem. */
  merge(item: MergingItem): Promise<string>;
  close(): Promise<void>;
}

export interface PreparerOptions {
  readonly blobs: BlobStore;
  readonly allowed: AllowedHosts;
  readonly downloadBytesMax: number;
  /** Another thread module and shorter limits, for tests. */
  readonly thread?: { readonly entry: string; readonly msMax: number; readonly abortMsMax: number };
}

export class Preparer implements PreparesItems {
  readonly #options: PreparerOptions;
  readonly #slices = new LoopSlices();
  readonly #pool: Piscina<ThreadTask, PreparationResult>;

  constructor(options: PreparerOptions) {
    this.#options = options;
    this.#pool = new Piscina({
      filename: options.thread?.entry ?? join(import.meta.dirname, '../../models/preparation/prepare-thread.ts'),
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
    scope: PreparationScope,
  ): Promise<Row[]> {
    if (input.kind === 'text') {
      const item = { files, source: { kind: 'text', text: input.text } as const, parameters };
      if (input.text.length > inlineTextMax) return await this.#inThread(item, scope.signal);
      return await this.#slices.run(() => prepareItem(item));
    }
    if (input.kind === 'json') {
      const item = { files, source: { kind: 'json', value: input.value } as const, parameters };
      if (countCharacters(input.value) > inlineTextMax) return await this.#inThread(item, scope.signal);
      return await this.#slices.run(() => prepareItem(item));
    }
    const { signal } = scope;
    if (input.kind === 'blob') {
      return await this.#blobInThread(input.blob, { files, type: input.type, parameters }, signal);
    }
    const path = this.#options.blobs.spoolPath();
    try {
      const source = await this.#fetch(input.url, path, signal);
      return await this.#inThread({ files, source, parameters }, signal);
    } finally {
      await rm(path, { force: true });
    }
  }

  async warm(files: ModelFiles): Promise<void> {
    const contract = (await loadContracts()).get(files.task);
    if (contract?.media === 'text') await pipelineFor(files);
    else await this.#pool.run({ warm: files });
  }

  async merge(item: MergingItem): Promise<string> {
    if (item.parts.length <= inlinePartsMax) return await mergeItem(item);
    // Pure work that ends by itself: the deadline is for a thread that hangs.
    const signal = AbortSignal.timeout(this.#options.thread?.msMax ?? threadMsMax);
    const result = await this.#pool.run({ merge: item }, { signal });
    if ('output' in result) return result.output;
    if ('problem' in result) throw rethrowDetails(result.problem);
    throw new Error('The thread gave no output.');
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

  /** Whether the blob is there is asked only once the item failed: asking first took a thread's turn for every item. */
  async #blobInThread(
    blob: string,
    { files, type, parameters }: Omit<PreparationItem, 'source'> & { readonly type: string },
    signal: AbortSignal,
  ): Promise<Row[]> {
    const { blobs } = this.#options;
    const source = { kind: 'file', path: blobs.placeOf(blob), type } as const;
    try {
      return await this.#inThread({ files, source, parameters }, signal);
    } catch (error) {
      await blobs.pathOf(blob);
      throw error;
    }
  }

  /** Abort and deadline ask the thread first; Piscina's own signal, which ends the thread, is for one that does not answer. */
  async #inThread(item: PreparationItem, signal: AbortSignal): Promise<Row[]> {
    signal.throwIfAborted();
    const limits = this.#options.thread ?? { msMax: threadMsMax, abortMsMax };
    const state = newItemState();
    const recycle = new AbortController();
    let unanswered: NodeJS.Timeout | undefined;
    const ask = () => {
      abortItem(state);
      unanswered ??= setTimeout(() => recycle.abort(), limits.abortMsMax);
    };
    let looks = 0;
    // From when a thread has the item: waiting for one is not the item's fault.
    const deadline = setInterval(() => {
      if (hasBegun(state) && ++looks > deadlineLooks) ask();
    }, limits.msMax / deadlineLooks);
    signal.addEventListener('abort', ask, { once: true });
    try {
      const result = await this.#pool.run({ ...item, state }, { signal: recycle.signal });
      if ('rows' in result) return [...result.rows];
      if ('problem' in result) throw rethrowDetails(result.problem);
      throw new Error('Preparation was aborted.');
    } catch (error) {
      if (looks > deadlineLooks)
        throw new Problem('run-timeout', `Preparing the item took over ${limits.msMax / 1000} s.`);
      throw error;
    } finally {
      clearInterval(deadline);
      clearTimeout(unanswered);
      signal.removeEventListener('abort', ask);
    }
  }
}
