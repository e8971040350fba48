/**
 * Decoding with stock exports: cohorts of rows in lockstep, one after the other. Two cohorts are never stepped by turns:
 * at 8 ragged rows two of 4 gave 348 tokens/s where one of 8 gave 481 (Whisper-base's shape). A more urgent cohort goes
 * first, and the other waits where it is.
 */
import type { GenerationPlan } from '../task.ts';
import { Cohort, cohortKey } from './cohort.ts';
import type { Decoder, Progress } from './decoder.ts';
import type { Encode } from './encode.ts';
import type { EncodedRow } from './encoder-stage.ts';
import { HeldRows } from './held-rows.ts';
import type { Admission, Finished } from './sequence.ts';
import type { StockDecoder } from './stock-decoder.ts';

export class CohortDecoder implements Decoder {
  readonly slots: number;
  readonly isLockstep = true;
  readonly #rows: HeldRows;
  readonly #decoder: StockDecoder;
  #cohorts: Cohort[] = [];

  constructor(decoder: StockDecoder, encode: Encode, plan: GenerationPlan, slots: number) {
    this.slots = slots;
    this.#decoder = decoder;
    this.#rows = new HeldRows(encode, plan, slots, (ids, states, wanted) => decoder.reread(ids, states, wanted));
  }

  get held(): number[] {
    return this.#rows.ids;
  }

  admit(admissions: readonly Admission[]): Finished[] {
    return this.#rows.admit(admissions);
  }

  evict(ids: readonly number[]): void {
    const isGone = this.#rows.evict(ids);
    for (const cohort of this.#cohorts) cohort.evict(isGone);
    this.#cohorts = this.#cohorts.filter(({ size }) => size > 0);
  }

  async advance(budgetMs: number): Promise<Progress> {
    const waitingRank = this.#rows.encoder.waiting[0]?.admission.rank ?? Number.POSITIVE_INFINITY;
    const readyRank = Math.min(...this.#rows.ready.map(({ sequence }) => sequence.admission.rank));
    const cohort = this.#mostUrgentCohort();
    // A row that is written is one call from its end.
    const { reviewRank } = this.#rows;
    if (
      reviewRank <= Math.min(waitingRank, readyRank, cohort?.rank ?? reviewRank) &&
      reviewRank < Number.POSITIVE_INFINITY
    )
      return { finished: await this.#rows.review(), lines: 0, tokens: 0 };
    if (cohort && cohort.rank <= Math.min(waitingRank, readyRank)) return await this.#step(cohort);
    if (waitingRank <= readyRank && waitingRank !== Number.POSITIVE_INFINITY) return await this.#encode(budgetMs);
    const opened = this.#openCohort(readyRank);
    return opened ? await this.#step(opened) : { finished: [], lines: 0, tokens: 0 };
  }

  #mostUrgentCohort(): Cohort | undefined {
    let found = this.#cohorts[0];
    for (const cohort of this.#cohorts) if (found && cohort.rank < found.rank) found = cohort;
    return found;
  }

  async #encode(budgetMs: number): Promise<Progress> {
    const { encoded, failed } = await this.#rows.encoder.encode(budgetMs, this.slots);
    this.#rows.addReady(encoded.map((row) => ({ ...row, states: this.#decoder.encoderStates(row.states) })));
    return { finished: failed, lines: 0, tokens: 0 };
  }

  /** The first ready row of this rank, with all that can join it. */
  #openCohort(rank: number): Cohort | null {
    const own = this.#rows.ready.filter(({ sequence }) => sequence.admission.rank === rank);
    const [first] = own;
    if (!first) return null;
    const rows: EncodedRow[] = [];
    let lines = 0;
    for (const row of own) {
      if (cohortKey(row) !== cohortKey(first)) continue;
      lines += row.sequence.width;
      if (rows.length > 0 && lines > this.slots) break;
      rows.push(row);
    }
    this.#rows.begin(rows);
    const cohort = new Cohort(rows, this.#decoder);
    this.#cohorts.push(cohort);
    return cohort;
  }

  async #step(cohort: Cohort): Promise<Progress> {
    const lines = cohort.size;
    const { ended, written } = await cohort.step();
    if (cohort.size === 0) this.#cohorts = this.#cohorts.filter((other) => other !== cohort);
    return { finished: ended.flatMap((sequence) => this.#rows.close(sequence)), lines, tokens: written };
  }
}
