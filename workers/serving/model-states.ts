/**
 * Tells the API what this worker can run: one entry per model in Redis, and a sign of life that lapses in 4 s. Entries
 * are written when one changes and every 5 s, the sign every second; read by GET /v1/models and readiness.
 */
import type { Redis } from 'ioredis';
import { keys } from '../../shared/jobs/keys.ts';
import type { ModelEntry } from '../../shared/jobs/model-entry.ts';
import type { Layout } from '../layout/layout.ts';
import type { ModelReport } from './served-model.ts';

export const aliveMs = 4000;
const beatMs = 1000;
const beatsPerEntries = 5;

export class ModelStates {
  readonly #redis: Redis;
  readonly #worker: string;
  readonly #device: string;
  readonly #entries = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;
  #beats = 0;
  #isBeating = false;

  constructor(redis: Redis, worker: string, device: string) {
    this.#redis = redis;
    this.#worker = worker;
    this.#device = device;
    this.#timer = setInterval(() => void this.#beat(), beatMs);
    void this.#beat();
  }

  set(model: string, report: ModelReport, { lanes, threads }: Layout): void {
    const entry: ModelEntry = { ...report, device: this.#device, lanes, threads, at: new Date().toISOString() };
    this.#entries.set(this.#fieldOf(model), JSON.stringify(entry));
    void this.#write(true);
  }

  remove(model: string): void {
    this.#entries.delete(this.#fieldOf(model));
    // The next beat brings no entry back; one that Redis missed goes with this worker's sign of life.
    this.#redis.hdel(keys.modelStates, this.#fieldOf(model)).catch(() => {});
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const fields = [...this.#entries.keys()];
    this.#entries.clear();
    await this.#redis.del(keys.workerAlive(this.#worker));
    if (fields.length > 0) await this.#redis.hdel(keys.modelStates, ...fields);
  }

  #fieldOf(model: string): string {
    return `${model}/${this.#worker}`;
  }

  /**
   * One at a time: the one that waits for Redis to come back is the first thing said then. The entries come back by
   * themselves after Redis lost them, or after another worker took this one for dead.
   */
  async #beat(): Promise<void> {
    if (this.#isBeating) return;
    this.#isBeating = true;
    await this.#write(this.#beats++ % beatsPerEntries === 0);
    this.#isBeating = false;
  }

  async #write(withEntries: boolean): Promise<void> {
    const pipeline = this.#redis.pipeline().set(keys.workerAlive(this.#worker), '1', 'PX', aliveMs);
    if (withEntries && this.#entries.size > 0) pipeline.hset(keys.modelStates, Object.fromEntries(this.#entries));
    await pipeline.exec().catch(() => {}); // Redis is away: the next beat tells.
  }
}
