/**
 * How one row is written: takes the logits of its lines of the batch, says which token each line gets next, or that the
 * row is done. One line for greedy and sampled text, one per beam for a search (`beam-writer.ts`). Pure.
 */
import type { SequenceStart, Written } from '../task.ts';
import { logProbability, pickToken } from './pick-token.ts';

/** The next token of each line, and the line whose past it goes on from; other lines only in a beam search. */
export interface NextTokens {
  readonly ids: readonly number[];
  readonly from: readonly number[];
}

export interface Writer {
  /** Lines of the batch that the row takes. */
  readonly width: number;
  /** Logits after the prompt, then after each token, of every line. Null: done, see `written`. May change the logits. */
  take(logits: readonly Float32Array[]): NextTokens | null;
  /** Null when the logits were not numbers, or the constraints forbade every token. */
  readonly written: Written | null;
}

const ownPast = [0];

export class SingleWriter implements Writer {
  readonly width = 1;
  written: Written | null = null;
  readonly #start: SequenceStart;
  readonly #stops: ReadonlySet<number>;
  readonly #ids: number[] = [];
  readonly #logProbs: number[] = [];

  constructor(start: SequenceStart) {
    this.#start = start;
    this.#stops = new Set(start.stopIds);
  }

  take([logits]: readonly Float32Array[]): NextTokens | null {
    const { constrain, sampling, skipLogProbs, tokensMax, endsEarly } = this.#start;
    if (!logits) throw new Error('A row was given no logits.');
    constrain?.(logits, this.#ids);
    const id = pickToken(logits, sampling, this.#ids.length);
    if (id < 0) return null;
    if (!skipLogProbs) this.#logProbs.push(logProbability(logits, id));
    if (this.#stops.has(id)) return this.#end('stop');
    this.#ids.push(id);
    if (endsEarly?.(this.#ids)) return this.#end('stop');
    if (this.#ids.length >= tokensMax) return this.#end('length');
    return { ids: [id], from: ownPast };
  }

  #end(reason: Written['reason']): null {
    this.written = { ids: this.#ids, logProbs: Float32Array.from(this.#logProbs), reason };
    return null;
  }
}
