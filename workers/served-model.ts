/**
 * One model as this worker serves it: what the lanes say of it, whether its items can be prepared, and its consumers.
 * What it tells is the truth: `ready` only while consumers are open. Lanes ready -> warming -> open; not ready -> paused.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelState } from './lane/lane-pool.ts';

/** A preparation that can not be loaded (a file on its way, no memory) is tried again, like a load in a lane. */
const retryMsFirst = 5000;
const retryMsMax = 300_000;

export interface Consumers {
  pause(): Promise<void>;
  resume(): void;
  close(): Promise<void>;
}

export interface ServedModelParts {
  /** Loads what preparation needs. */
  readonly warm: () => Promise<void>;
  readonly open: (canaryMs: number) => Consumers;
  readonly tell: (state: ModelState, reason?: string) => void;
  readonly retryMs?: number;
}

export class ServedModel {
  readonly #parts: ServedModelParts;
  readonly #stop = new AbortController();
  #lanes: ModelState = 'loading';
  #consumers: Consumers | null = null;
  #isWarming = false;
  #warmFault: string | undefined;

  constructor(parts: ServedModelParts) {
    this.#parts = parts;
  }

  /** What the lanes say. */
  change(state: ModelState, reason?: string, canaryMs = 1): void {
    if (this.#stop.signal.aborted) return;
    this.#lanes = state;
    if (state !== 'ready') {
      void this.#consumers?.pause();
      this.#parts.tell(state, reason);
    } else if (this.#consumers) {
      this.#consumers.resume();
      this.#parts.tell('ready');
    } else if (!this.#isWarming) {
      void this.#warm(canaryMs);
    } else if (this.#warmFault !== undefined) {
      this.#parts.tell('failed', this.#warmFault);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#consumers?.close();
  }

  async #warm(canaryMs: number): Promise<void> {
    this.#isWarming = true;
    let pauseMs = this.#parts.retryMs ?? retryMsFirst;
    while (!(await this.#tryWarm(pauseMs))) {
      await sleep(pauseMs, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {});
      if (this.#stop.signal.aborted) return;
      pauseMs = Math.min(retryMsMax, 2 * pauseMs);
    }
    this.#isWarming = false;
    // Set aside meanwhile: the next `ready` opens.
    if (this.#stop.signal.aborted || this.#lanes !== 'ready') return;
    this.#consumers = this.#parts.open(canaryMs);
    this.#parts.tell('ready');
  }

  async #tryWarm(pauseMs: number): Promise<boolean> {
    try {
      await this.#parts.warm();
      this.#warmFault = undefined;
      return true;
    } catch (error) {
      this.#warmFault = `items can not be prepared: ${(error as Error).message}; tried again in ${pauseMs / 1000} s`;
      if (this.#lanes === 'ready') this.#parts.tell('failed', this.#warmFault);
      return false;
    }
  }
}
