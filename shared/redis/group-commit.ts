/**
 * Group commit: what arrives while a write is under way goes out together with the next one. No timer: an idle system
 * writes at once, a busy one in large steps. One finish script per batch instead of per row saved 0.45 ms CPU per item.
 * Only what nobody waits for may linger, to travel with something that is waited for.
 */
interface Entry<Item, Reply> {
  readonly item: Item;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

export class GroupCommit<Item, Reply> {
  readonly #write: (items: Item[]) => Promise<Reply[]>;
  readonly #sizeMax: number;
  /** In order of arrival. */
  #waiting: Entry<Item, Reply>[] = [];
  /** Something waits that must not linger. */
  #isUrgent = false;
  #writing = false;
  #timer: NodeJS.Timeout | undefined;

  /** `write` answers for each item in order. `sizeMax` bounds how long one script holds Redis (64 finishes: 1-2 ms). */
  constructor(write: (items: Item[]) => Promise<Reply[]>, sizeMax = 64) {
    this.#write = write;
    this.#sizeMax = sizeMax;
  }

  /** Goes out with the next write; one is begun for it now, or within `lingerMs`. Never ahead of what came before it. */
  async add(item: Item, lingerMs = 0): Promise<Reply> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (lingerMs === 0 || this.#waiting.length >= this.#sizeMax) this.#begin();
      else this.#timer ??= setTimeout(() => this.#begin(), lingerMs);
    });
  }

  #begin(): void {
    this.#endLinger();
    this.#isUrgent = true;
    if (this.#writing) return;
    this.#writing = true;
    setImmediate(() => void this.#drain());
  }

  #endLinger(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #drain(): Promise<void> {
    while (this.#isUrgent) {
      const group = this.#waiting.splice(0, this.#sizeMax);
      this.#isUrgent = this.#waiting.length > 0;
      if (!this.#isUrgent) this.#endLinger();
      try {
        const replies = await this.#write(group.map(({ item }) => item));
        for (const [i, { resolve }] of group.entries()) resolve(replies[i] as Reply);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#writing = false;
  }
}
