/**
 * Keeps inline work from holding the event loop: pieces run one after the other, and after 4 ms of them the loop gets its
 * turn. Without it eight jobs of sixteen texts (658 characters each) are one turn: 12 ms on a free core, longer on a busy one.
 */
const sliceMs = 4;

export class LoopSlices {
  #tail: Promise<unknown> = Promise.resolve();
  #sliceStartMs = 0;

  /** Runs a piece of CPU work when the loop can bear it. Order is kept; a piece that throws fails alone. */
  async run<Result>(piece: () => Promise<Result>): Promise<Result> {
    const result = this.#tail.then(async () => {
      await this.#turn();
      return await piece();
    });
    this.#tail = result.catch(() => {});
    return await result;
  }

  async #turn(): Promise<void> {
    if (this.#sliceStartMs > 0 && performance.now() - this.#sliceStartMs > sliceMs) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    if (this.#sliceStartMs > 0) return;
    this.#sliceStartMs = performance.now();
    setImmediate(() => {
      this.#sliceStartMs = 0;
    });
  }
}
