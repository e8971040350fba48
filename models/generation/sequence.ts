/**
 * One row while it is written: where it stands in its prompt, who writes it, and what came of it. Knows no graph; the
 * decoders move sequences between batches.
 */
import { Problem } from '../../shared/problems/problem.ts';
import type { GenerationPlan, Review, Row, RowOutcome, SequenceStart, Written } from '../task.ts';
import { BeamWriter } from './beam-writer.ts';
import { type NextTokens, SingleWriter, type Writer } from './writer.ts';

/** A row that is to be written. Ranks are small numbers; the smallest goes first. */
export interface Admission {
  /** Names the row for as long as it is held; the caller's choice. */
  readonly id: number;
  readonly row: Row;
  readonly rank: number;
}

export interface Finished {
  readonly id: number;
  readonly outcome: RowOutcome;
  /** Tokens of the last attempt, for who measures. */
  readonly tokens: number;
}

/** A row whose plan wants to look back on it before it says what it became. */
export interface ReviewDue {
  readonly review: Review;
  readonly tokens: number;
}

/** Bounds plans whose `finish` says `again`. */
const attemptsMax = 8;

export class Sequence {
  readonly admission: Admission;
  readonly #plan: GenerationPlan;
  #attempt = 0;
  #start!: SequenceStart;
  #writer!: Writer;
  #keptLogits: Float32Array | undefined;

  constructor(admission: Admission, plan: GenerationPlan) {
    this.admission = admission;
    this.#plan = plan;
    this.#begin();
  }

  get promptIds(): readonly number[] {
    return this.#start.promptIds;
  }

  /** Lines of the batch that it takes. */
  get width(): number {
    return this.#writer.width;
  }

  /** Null unless the prompt leaves no room to write, or the beams are more than a batch has lines. */
  faultAmong(linesMax: number): RowOutcome | null {
    const { length } = this.promptIds;
    const { positionsMax } = this.#plan;
    if (length === 0 || length >= positionsMax) {
      const detail = `The prompt has ${length} tokens; the model takes 1 to ${positionsMax - 1}.`;
      return { problem: new Problem('input-too-long', detail).toDetails() };
    }
    if (this.width <= linesMax) return null;
    const detail = `${this.width} beams are more than this model's memory allows; ask for ${linesMax} at most.`;
    return { problem: new Problem('invalid-parameter', detail).toDetails() };
  }

  /** Logits after prompt token `index`, of the first line. The last token's go to `take` as well. */
  passPrompt(index: number, logits: Float32Array): void {
    if (index === this.#start.keepLogitsAt) this.#keptLogits = logits.slice();
  }

  take(logits: readonly Float32Array[]): NextTokens | null {
    return this.#writer.take(logits);
  }

  /** After `take` gave null. Null: the plan wants another attempt, which has begun. */
  close(): Finished | ReviewDue | null {
    const { id, row } = this.admission;
    const { written } = this.#writer;
    if (!written) return this.#finish(nonFinite(), 0);
    const kept: Written = { ...written, ...(this.#keptLogits && { keptLogits: this.#keptLogits }) };
    const outcome = this.#plan.finish(row, kept, this.#attempt);
    const tokens = written.ids.length;
    if (outcome !== 'again') return 'conclude' in outcome ? { review: outcome, tokens } : this.#finish(outcome, tokens);
    if (++this.#attempt >= attemptsMax) throw new Error(`Row ${id} asked for more than ${attemptsMax} attempts.`);
    this.#begin();
    return null;
  }

  #finish(outcome: RowOutcome, tokens: number): Finished {
    return { id: this.admission.id, outcome, tokens };
  }

  #begin(): void {
    const start = this.#plan.begin(this.admission.row, this.#attempt);
    const tokensMax = Math.max(1, Math.min(start.tokensMax, this.#plan.positionsMax - start.promptIds.length));
    this.#start = { ...start, tokensMax };
    const isSearch = (start.sampling.beams ?? 1) > 1;
    this.#writer = isSearch ? new BeamWriter(this.#start) : new SingleWriter(this.#start);
    this.#keptLogits = undefined;
  }
}

function nonFinite(): RowOutcome {
  return { problem: new Problem('non-finite-output', 'The model gave NaN or infinity while writing.').toDetails() };
}
