/**
 * Rows without end through one decoder, by the rules that are raced: how many are held at once, when new ones come, and
 * which of the tokens that were written anybody wanted. A prompt is one token, so each line of a step writes one.
 */
import type { Decoder } from '../../models/generation/decoder.ts';
import type { Row } from '../../models/task.ts';

/**
 * `refill`: a place that is free is taken at the next step. `evict`: a batch begins when the last row of the one before
 * ended, rows leave when they end. `static`: the same, and rows that ended stay as padding until the longest is done.
 * Rows of a batch may begin a step apart, one chunk of the encoder after the other: a step in fifty, in `refill`'s favour.
 */
export type Rule = 'refill' | 'evict' | 'static';

export interface Work {
  /** That were wanted. */
  readonly tokens: number;
  readonly lines: number;
  readonly steps: number;
}

/** What a lane's call may take: the bound of a chunk of the encoder. */
const callMs = 100;

export class RaggedStream {
  readonly #decoder: Decoder;
  readonly #rule: Rule;
  readonly #atOnce: () => number;
  readonly #onStep: (lines: number, ms: number) => void;
  readonly #nextTokens: () => number;
  readonly #rowOf: (tokens: number) => Row;
  #nextId = 0;

  constructor(
    decoder: Decoder,
    options: {
      rule: Rule;
      atOnce: () => number;
      nextTokens: () => number;
      rowOf: (tokens: number) => Row;
      onStep?: (lines: number, ms: number) => void;
    },
  ) {
    this.#decoder = decoder;
    this.#rule = options.rule;
    this.#atOnce = options.atOnce;
    this.#nextTokens = options.nextTokens;
    this.#rowOf = options.rowOf;
    this.#onStep = options.onStep ?? (() => {});
  }

  /** Whole batches, at least one; or, where places are refilled, steps of a run that goes on with the next call. */
  async run(isOver: () => boolean): Promise<Work> {
    const work = { tokens: 0, lines: 0, steps: 0 };
    do {
      work.tokens -= this.#admit();
      const startedAt = performance.now();
      const { lines } = await this.#decoder.advance(callMs);
      if (lines > 0) this.#onStep(lines, performance.now() - startedAt);
      work.tokens += lines;
      work.lines += lines;
      if (lines > 0) work.steps++;
    } while (!isOver() || (this.#rule !== 'refill' && this.#decoder.held.length > 0));
    return work;
  }

  /** How many tokens the new rows will write that nobody wants. */
  #admit(): number {
    const held = this.#decoder.held.length;
    const atOnce = this.#atOnce();
    if (held >= atOnce || (this.#rule !== 'refill' && held > 0)) return 0;
    const wanted = Array.from({ length: atOnce - held }, () => this.#nextTokens());
    const longest = Math.max(...wanted);
    const written = this.#rule === 'static' ? wanted.map(() => longest) : wanted;
    this.#decoder.admit(written.map((tokens) => ({ id: this.#nextId++, row: this.#rowOf(tokens), rank: 0 })));
    return written.reduce((sum, tokens, row) => sum + tokens - (wanted[row] as number), 0);
  }
}
