/**
 * Hears of job events for everybody in this process who waits for one: a channel of its own in Redis, and a listener per
 * job. PUBLISH can be lost, so a listener that hears nothing looks for itself; what it hears is what the store holds.
 */
import type { Redis } from 'ioredis';
import { keys } from '../../shared/jobs/keys.ts';
import { type JobRecord, parseFinished } from '../../shared/jobs/store/record.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';

/**
 * `status` of the event, or null when some may have been missed: look in any case. `record` is the finished job, with the
 * event of its end, unless it is large.
 */
export type WatchListener = (status: string | null, record?: JobRecord) => void;

export class JobWatcher {
  /** Name that the store announces events to. */
  readonly channel: string;
  readonly #subscriber: Redis;
  readonly #listeners = new Map<string, Set<WatchListener>>();

  /** `subscriber` must be a connection of its own: a subscribed one takes no other commands. */
  constructor(subscriber: Redis, apiId: string) {
    this.#subscriber = subscriber;
    this.channel = keys.replies(apiId);
  }

  async start(): Promise<void> {
    this.#subscriber.on('message', (_channel, message: string) => this.#hear(message));
    await this.#subscriber.subscribe(this.channel);
    // ioredis subscribes again by itself after a reconnect; what was said meanwhile is lost.
    this.#subscriber.on('ready', () => this.wakeAll());
  }

  /** Calls `listener` at each event of the job. Returns what ends it. */
  watch(ref: JobRef, listener: WatchListener): () => void {
    const key = nameOf(ref);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key);
    };
  }

  wakeAll(): void {
    for (const listeners of this.#listeners.values()) for (const listener of listeners) listener(null);
  }

  stop(): void {
    this.wakeAll();
    this.#subscriber.disconnect();
  }

  /** `<tenant>/<id> <seq> <status>`, or the finished document. */
  #hear(message: string): void {
    if (message.startsWith('{')) {
      const record = readFinished(message);
      if (record) this.#tell(nameOf(record.request), record.status, record);
      return;
    }
    const [, name = '', status = ''] = /^(\S+) \d+ (\S+)$/.exec(message) ?? [];
    this.#tell(name, status);
  }

  #tell(name: string, status: string, record?: JobRecord): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(status, record);
  }
}

function nameOf({ tenant, id }: JobRef): string {
  return `${tenant}/${id}`;
}

/** Null for one that this release can not read: who waits for it looks for itself, and is told so there. */
function readFinished(document: string): JobRecord | null {
  try {
    return parseFinished(document);
  } catch {
    return null;
  }
}
