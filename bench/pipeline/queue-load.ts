/** A closed loop of jobs against a running worker, straight into the queue as the API would do it. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { JobWatcher } from '../../api/jobs/job-watcher.ts';
import type { PreparedSource } from '../../models/task.ts';
import type { JobRequest, StoredInput } from '../../shared/jobs/job.ts';
import { mintJobId } from '../../shared/jobs/job-id.ts';
import { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { Subject } from './subjects.ts';

export interface Work {
  readonly items: number;
  readonly perSecond: number;
}

export class QueueLoad {
  readonly #store: JobStore;
  readonly #watcher: JobWatcher;
  readonly #dataDir: string;
  /** Of the time that is counted; of a job that began before it or ends after it, its share. */
  #items = 0;
  #countFrom = 0;
  #countUntil = 0;

  constructor(producer: Redis, dataDir: string) {
    this.#store = new JobStore(producer);
    this.#watcher = new JobWatcher(producer.duplicate({ enableOfflineQueue: true }), 'bench');
    this.#dataDir = dataDir;
  }

  async open(): Promise<void> {
    await this.#watcher.start();
  }

  /** Stores the subject's files as blobs and says how its items are given. */
  async storeInputs({ name, sources }: Subject): Promise<StoredInput[]> {
    return await Promise.all(sources.map((source, i) => this.#store1(name, source, i)));
  }

  /** Keeps `jobsAtOnce` jobs of `itemsPerJob` under way; all items, and items per second over the time after the first round. */
  async run(
    subject: Subject,
    inputs: readonly StoredInput[],
    jobsAtOnce: number,
    itemsPerJob: number,
    seconds: number,
  ): Promise<Work> {
    let cursor = 0;
    this.#items = 0;
    this.#countFrom = performance.now() + Math.min(2000, seconds * 400);
    this.#countUntil = this.#countFrom + seconds * 1000;
    const client = async () => {
      while (performance.now() < this.#countUntil) {
        const batch = Array.from(
          { length: itemsPerJob },
          (_, i) => inputs[(cursor + i) % inputs.length] as StoredInput,
        );
        cursor += itemsPerJob;
        await this.#runJob(subject, batch);
      }
    };
    await Promise.all(Array.from({ length: jobsAtOnce }, client));
    return { items: cursor, perSecond: this.#items / seconds };
  }

  async close(): Promise<void> {
    this.#watcher.stop();
  }

  async #runJob({ files }: Subject, input: readonly StoredInput[]): Promise<void> {
    const request: JobRequest = {
      v: 1,
      id: mintJobId(),
      tenant: 'default',
      task: files.task,
      model: files.id,
      priority: 'normal',
      list: input.length > 1,
      items: input.length,
      retentionSeconds: 60,
    };
    const { promise: ended, resolve } = Promise.withResolvers<string | null>();
    const unwatch = this.#watcher.watch(request, resolve);
    const admittedAt = performance.now();
    await this.#store.admit(request, { input, queueMax: 1e9, tenantMax: 1e9, replyChannel: this.#watcher.channel });
    const status = await ended;
    unwatch();
    if (status !== 'succeeded') throw new Error(`A job of the bench ended as ${status}.`);
    const endedAt = performance.now();
    const counted = Math.min(endedAt, this.#countUntil) - Math.max(admittedAt, this.#countFrom);
    this.#items += (input.length * Math.max(0, counted)) / (endedAt - admittedAt);
  }

  async #store1(name: string, source: PreparedSource, index: number): Promise<StoredInput> {
    if (source.kind !== 'file') return source;
    const blob = `bench/${name}/${index}`;
    await mkdir(join(this.#dataDir, 'blobs/bench', name), { recursive: true });
    await copyFile(source.path, join(this.#dataDir, 'blobs', blob));
    return { kind: 'blob', blob, bytes: 0, type: source.type };
  }
}
