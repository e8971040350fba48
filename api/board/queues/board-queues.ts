/**
 * The queues that the board shows, kept as models come and go. Looked up when somebody looks, every two seconds at most:
 * a board that nobody has open costs Redis nothing.
 */
import type { Redis } from 'ioredis';
import { webhookQueueName } from '../../../shared/jobs/deliveries.ts';
import { type InspectedQueue, inspectQueue, listQueues } from '../../../shared/jobs/inspect-queues.ts';

const refreshMs = 2000;

export class BoardQueues {
  readonly #redis: Redis;
  readonly #show: (queues: readonly InspectedQueue[]) => void;
  readonly #open = new Map<string, InspectedQueue>();
  #shown = '';
  #refreshedMs = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;

  constructor(redis: Redis, show: (queues: readonly InspectedQueue[]) => void) {
    this.#redis = redis;
    this.#show = show;
  }

  get names(): readonly string[] {
    return [...this.#open.keys()];
  }

  get webhooks(): InspectedQueue {
    return this.#queue(webhookQueueName);
  }

  async refresh(): Promise<void> {
    if (performance.now() - this.#refreshedMs < refreshMs) return;
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((queue) => queue.close()));
    this.#open.clear();
  }

  async #refresh(): Promise<void> {
    const names = [...(await listQueues(this.#redis)), webhookQueueName];
    this.#refreshedMs = performance.now();
    if (names.join('\n') === this.#shown) return;
    this.#shown = names.join('\n');
    const gone = [...this.#open.keys()].filter((name) => !names.includes(name));
    const queues = names.map((name) => this.#queue(name));
    this.#show(queues);
    for (const name of gone) {
      void this.#open.get(name)?.close();
      this.#open.delete(name);
    }
  }

  #queue(name: string): InspectedQueue {
    const queue = this.#open.get(name) ?? inspectQueue(name, this.#redis);
    this.#open.set(name, queue);
    return queue;
  }
}
