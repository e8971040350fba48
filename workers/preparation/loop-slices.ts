/**
 * Keeps inline work from holding the event loop: pieces run one after the other, and after 4 ms of them the loop gets its
 * turn. Sixteen texts of 700 characters in each of eight jobs took 60 ms in one turn without it.
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
