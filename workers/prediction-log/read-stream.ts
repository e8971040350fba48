/**
 * Reads what jobs left in the stream of predictions, in the order in which they ended, and forgets it there when it is
 * kept elsewhere. One reader at a time and no consumer group: order matters (an erasure follows its rows), and a group
 * would write each delivery to Redis' log (docs/decisions). What a killed reader had read, the next one reads again.
 */
import { keys } from '../../shared/jobs/keys.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import { toFields } from '../../shared/redis/stream-fields.ts';
import { untilAnswered } from '../../shared/redis/until-answered.ts';

export interface StreamEntry {
  readonly id: string;
  /** By Redis' clock. */
  readonly atMs: number;
  readonly fields: Readonly<Record<string, string>>;
}

const start = '0-0';

export class PredictionStream {
  readonly #redis: Redis;
  /** Of its own: a blocked read holds up everything else on its connection. */
  readonly #blocking: Redis;
  #last = start;

  constructor(redis: Redis) {
    this.#redis = redis;
    this.#blocking = redis.duplicate();
    this.#blocking.on('error', () => {}); // The main connection logs the same outage.
  }

  /** What follows the last entry that was forgotten or left; waits up to `blockMs` for the first. */
  async read(entriesMax: number, blockMs: number): Promise<StreamEntry[]> {
    const count = ['COUNT', entriesMax] as const;
    const streams = ['STREAMS', keys.predictions, this.#last] as const;
    const read =
      blockMs > 0
        ? this.#blocking.xread(...count, 'BLOCK', blockMs, ...streams)
        : this.#blocking.xread(...count, ...streams);
    const reply = await untilAnswered(this.#blocking, blockMs, read);
    return (reply?.[0]?.[1] ?? []).map(([id, flat]) => ({ id, atMs: Number.parseInt(id, 10), fields: toFields(flat) }));
  }

  /** Goes on behind these entries; those that are `handled` leave the stream, the others wait for another release. */
  async pass(entries: readonly StreamEntry[], handled: readonly string[]): Promise<void> {
    if (handled.length > 0) await this.#redis.xdel(keys.predictions, ...handled);
    this.#last = entries.at(-1)?.id ?? this.#last;
  }

  /** Looks at everything again: what was left, and what another reader did not get to. */
  rewind(): void {
    this.#last = start;
  }

  /** Entries that wait. */
  async length(): Promise<number> {
    return await this.#redis.xlen(keys.predictions);
  }

  /** When the oldest entry came; null when there is none. */
  async oldestMs(): Promise<number | null> {
    const [oldest] = await this.#redis.xrange(keys.predictions, '-', '+', 'COUNT', 1);
    return oldest ? Number.parseInt(oldest[0], 10) : null;
  }

  stop(): void {
    this.#blocking.disconnect();
  }
}
