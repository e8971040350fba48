/**
 * Whether a model can take jobs, for submissions and for jobs that wait: unloaded by an operator, or failed on every
 * worker that has it. Polls twice a second, so that a request costs a look into a map; what it refuses may be half a
 * second old. A model that loads, is set aside for a while, or has no worker yet takes jobs: they wait.
 */
import type { Redis } from 'ioredis';
import { Problem } from '../../shared/problems/problem.ts';
import { Repeat } from '../repeat.ts';
import { readModelStates, readUnloaded, type WorkerState } from './model-states.ts';
import { retryAfterSeconds } from './retry-after.ts';

const pollEveryMs = 500;
/** An operator has to act. */
const unloadedRetrySeconds = 30;
/** A load that failed is tried again after 5 s to 5 minutes. */
const failedRetrySeconds = 10;

export class ModelAvailability {
  readonly #redis: Redis;
  #states: ReadonlyMap<string, readonly WorkerState[]> = new Map();
  #unloaded: ReadonlyMap<string, string> = new Map();
  readonly #polls = new Repeat(pollEveryMs, () => this.poll());

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async start(): Promise<void> {
    await this.poll();
    this.#polls.start();
  }

  stop(): void {
    void this.#polls.stop();
  }

  /** While Redis is away, what was known stays. */
  async poll(): Promise<void> {
    try {
      [this.#states, this.#unloaded] = await Promise.all([readModelStates(this.#redis), readUnloaded(this.#redis)]);
    } catch {
      // Admission says that Redis is away.
    }
  }

  /** What a new job of the model is told, or null. */
  refusalFor(model: string, version?: string): Problem | null {
    const isUnloaded = this.#unloaded.has(model);
    const failure = isUnloaded ? null : this.#failureOf(model, version);
    if (!isUnloaded && failure === null) return null;
    const seconds = isUnloaded ? unloadedRetrySeconds : failedRetrySeconds;
    const detail = failure === null ? `${this.#sayUnloaded(model)}.` : `${failure} Nothing was accepted.`;
    return new Problem('model-unavailable', detail, { retryAfterSeconds: retryAfterSeconds(seconds) });
  }

  /** Why a job of the model waits beyond its turn, or null when the turn is all that it waits for. */
  waitOf(model: string, version?: string): string | null {
    if (this.#unloaded.has(model)) return `${this.#sayUnloaded(model)}; it waits until then.`;
    const workers = this.#statesOf(model, version);
    if (workers.some(({ state }) => state === 'ready')) return null;
    const [first] = workers;
    if (first === undefined)
      return this.#states.size === 0 ? 'No worker runs.' : `No running worker has ${named(model, version)}.`;
    if (first.error !== null) return `${named(model, version)} can not run: ${first.error}.`;
    return `${named(model, version)} is loading.`;
  }

  #failureOf(model: string, version: string | undefined): string | null {
    const workers = this.#statesOf(model, version);
    const [first] = workers;
    if (first === undefined || workers.some(({ state }) => state !== 'failed')) return null;
    return `${named(model, version)} can not be loaded: ${first.error}. Loading is tried again.`;
  }

  #statesOf(model: string, version: string | undefined): readonly Pick<WorkerState, 'state' | 'error'>[] {
    const workers = this.#states.get(model) ?? [];
    if (version === undefined) return workers;
    return workers.flatMap(({ versions }) => versions.filter((known) => known.version === version));
  }

  #sayUnloaded(model: string): string {
    return `${model} was unloaded by an operator at ${this.#unloaded.get(model)}; \`millrace models load ${model}\` brings it back`;
  }
}

function named(model: string, version: string | undefined): string {
  return version === undefined ? model : `${model}@${version}`;
}
