/** Says in Redis where the log writer answers, for as long as it is the writer. */
import { keys } from '../../shared/jobs/keys.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { addressLifeMs, type PredictionLogAddress } from '../../shared/predictions/words.ts';
import type { Redis } from '../../shared/redis/connection.ts';

const everyMs = 5000;
/** Soon after the start, when nobody has the lease yet. */
const firstTriesMs = 200;

export class Announcement {
  readonly #redis: Redis;
  readonly #value: string;
  readonly #isHolding: () => boolean;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(redis: Redis, address: PredictionLogAddress, isHolding: () => boolean, logger: Logger) {
    this.#redis = redis;
    this.#value = JSON.stringify(address);
    this.#isHolding = isHolding;
    this.#logger = logger;
  }

  start(): void {
    void this.#say();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    if ((await this.#redis.get(keys.predictionLog)) === this.#value) await this.#redis.del(keys.predictionLog);
  }

  async #say(): Promise<void> {
    const isHolding = this.#isHolding();
    try {
      if (isHolding) await this.#redis.set(keys.predictionLog, this.#value, 'PX', addressLifeMs);
    } catch (error) {
      this.#logger.warn({ err: error }, 'prediction log: address not announced');
    }
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.#say(), isHolding ? everyMs : firstTriesMs);
  }
}
