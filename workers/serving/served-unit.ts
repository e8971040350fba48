/**
 * One state of one version of a model, as this worker has it: what the lanes say of it, whether its items can be
 * prepared, and how many claimed jobs hold it. Lanes ready -> warming -> ready; not ready -> not taken for new claims.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ModelFiles, unitOf } from '../../models/repository/model-files.ts';
import type { ModelDetail, ModelState } from '../lane/lane-pool.ts';

/** A preparation that can not be loaded (a file on its way, no memory) is tried again, like a load in a lane. */
const retryMsFirst = 5000;
const retryMsMax = 300_000;

export interface UnitParts {
  /** Loads what preparation needs. */
  readonly warm: (files: ModelFiles) => Promise<void>;
  /** Something that can be read here has changed. */
  readonly changed: () => void;
  readonly retryMs?: number;
}

export class ServedUnit {
  readonly files: ModelFiles;
  readonly name: string;
  /** False once the repository holds something else in its place, or nothing. */
  isWanted = true;
  canaryMs = 1;
  memoryBytes = 0;
  /** When it became ready the last time. */
  readySince: string | null = null;
  readonly #parts: UnitParts;
  readonly #stop = new AbortController();
  #lanes: ModelState = 'loading';
  #laneReason: string | null = null;
  #warmth: 'cold' | 'warming' | 'warm' = 'cold';
  #warmFault: string | null = null;
  #claims = 0;

  constructor(files: ModelFiles, parts: UnitParts) {
    this.files = files;
    this.name = unitOf(files);
    this.#parts = parts;
  }

  get state(): ModelState {
    if (this.#lanes !== 'ready') return this.#lanes;
    if (this.#warmth === 'warm') return 'ready';
    return this.#warmFault === null ? 'loading' : 'failed';
  }

  /** Why it is not ready, where that is known. */
  get reason(): string | null {
    return this.#lanes === 'ready' ? this.#warmFault : this.#laneReason;
  }

  /** Claimed jobs that run with it, and claims under way that may get it. */
  get claims(): number {
    return this.#claims;
  }

  lanesSay(state: ModelState, { reason, canaryMs, memoryBytes }: ModelDetail): void {
    if (this.#stop.signal.aborted) return;
    this.#lanes = state;
    this.#laneReason = reason ?? null;
    if (canaryMs) this.canaryMs = canaryMs;
    if (memoryBytes) this.memoryBytes = memoryBytes;
    if (state === 'ready' && this.#warmth === 'cold') void this.#warm();
    this.#noteChange();
  }

  /** Keeps it from leaving until the function that is returned is called, once. */
  hold(): () => void {
    this.#claims++;
    return () => {
      this.#claims--;
      if (this.#claims === 0 && !this.isWanted) this.#parts.changed();
    };
  }

  /** Holds it while a job runs. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    const release = this.hold();
    try {
      return await job();
    } finally {
      release();
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  #noteChange(): void {
    if (this.state !== 'ready') this.readySince = null;
    else this.readySince ??= new Date().toISOString();
    this.#parts.changed();
  }

  async #warm(): Promise<void> {
    this.#warmth = 'warming';
    let pauseMs = this.#parts.retryMs ?? retryMsFirst;
    while (!(await this.#tryWarm(pauseMs))) {
      await sleep(pauseMs, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {});
      if (this.#stop.signal.aborted) return;
      pauseMs = Math.min(retryMsMax, 2 * pauseMs);
    }
    if (this.#stop.signal.aborted) return;
    this.#warmth = 'warm';
    this.#noteChange();
  }

  async #tryWarm(pauseMs: number): Promise<boolean> {
    try {
      await this.#parts.warm(this.files);
      this.#warmFault = null;
      return true;
    } catch (error) {
      this.#warmFault = `items can not be prepared: ${(error as Error).message}; tried again in ${pauseMs / 1000} s`;
      this.#noteChange();
      return false;
    }
  }
}
