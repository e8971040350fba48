/**
 * Group commit: what arrives while a write is under way goes out together with the next one. No timer: an idle system
 * writes at once, a busy one in large steps. One finish script per batch instead of per row saved 0.45 ms CPU per item.
 */
export class GroupCommit<Item, Reply> {
  readonly #write: (items: Item[]) => Promise<Reply[]>;
  readonly #sizeMax: number;
  #waiting: { item: Item; resolve: (reply: Reply) => void; reject: (error: unknown) => void }[] = [];
  #writing = false;

  /** `write` answers for each item in order. `sizeMax` bounds how long one script holds Redis (64 finishes: 1-2 ms). */
  constructor(write: (items: Item[]) => Promise<Reply[]>, sizeMax = 64) {
    this.#write = write;
    this.#sizeMax = sizeMax;
  }

  async add(item: Item): Promise<Reply> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#writing) {
        this.#writing = true;
        setImmediate(() => void this.#drain());
      }
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, this.#sizeMax);
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
