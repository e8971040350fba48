/**
 * Tells the API what this worker can run: one entry per model in Redis, and a sign of life that lapses in 5 s. Written
 * when something changes and every 2 s; read by GET /v1/models and readiness.
 */
import type { Redis } from 'ioredis';
import { keys } from '../shared/jobs/keys.ts';
import type { ModelState } from './lane/lane-pool.ts';

const aliveMs = 5000;
const beatMs = 2000;

export class ModelStates {
  readonly #redis: Redis;
  readonly #worker: string;
  readonly #device: string;
  readonly #entries = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;

  constructor(redis: Redis, worker: string, device: string) {
    this.#redis = redis;
    this.#worker = worker;
    this.#device = device;
    this.#timer = setInterval(() => this.#beat(), beatMs);
    this.#beat();
  }

  set(model: string, version: string, state: ModelState, error?: string): void {
    const entry = { state, version, device: this.#device, ...(error && { error }), at: new Date().toISOString() };
    this.#entries.set(`${model}/${this.#worker}`, JSON.stringify(entry));
    this.#beat();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const fields = [...this.#entries.keys()];
    this.#entries.clear();
    await this.#redis.del(keys.workerAlive(this.#worker));
    if (fields.length > 0) await this.#redis.hdel(keys.modelStates, ...fields);
  }

  /** Also rewrites the entries: they come back by themselves after Redis lost them. */
  #beat(): void {
    const pipeline = this.#redis.pipeline().set(keys.workerAlive(this.#worker), '1', 'PX', aliveMs);
    if (this.#entries.size > 0) pipeline.hset(keys.modelStates, Object.fromEntries(this.#entries));
    pipeline.exec().catch(() => {}); // Redis is away: the next beat tells.
  }
}
