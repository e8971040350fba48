/**
 * Decoding with stock exports: cohorts of rows in lockstep, one after the other. Two cohorts are never stepped by turns:
 * at 8 ragged rows two of 4 gave 348 tokens/s where one of 8 gave 481 (Whisper-base's shape). A more urgent cohort goes
 * first, and the other waits where it is.
 */
import type { GenerationPlan } from '../task.ts';
import { Cohort, cohortKey, type ReadyRow } from './cohort.ts';
import { closeSequence, type Decoder, openSequence, type Progress } from './decoder.ts';
import { EncoderStage } from './encoder-stage.ts';
import type { Engine } from './engine.ts';
import type { LayoutKind } from './graph-layout.ts';
import { type Admission, type Finished, Sequence } from './sequence.ts';
import { StockDecoder } from './stock-decoder.ts';

export class CohortDecoder implements Decoder {
  readonly slots: number;
  readonly isLockstep = true;
  readonly #plan: GenerationPlan;
  readonly #encoder: EncoderStage;
  readonly #decoder: StockDecoder;
  /** Encoded and not begun; by rank. */
  #ready: ReadyRow[] = [];
  /** What the encoder gave, for rows that begin again. */
  readonly #begun = new Map<Sequence, ReadyRow>();
  #cohorts: Cohort[] = [];

  constructor(engine: Engine, kind: LayoutKind, plan: GenerationPlan, slots: number) {
    this.slots = slots;
    this.#plan = plan;
    this.#encoder = new EncoderStage(engine, plan);
    this.#decoder = new StockDecoder(engine, kind);
  }

  get held(): number[] {
    const sequences = [...this.#encoder.waiting, ...this.#ready.map(({ sequence }) => sequence), ...this.#begun.keys()];
    return sequences.map(({ admission }) => admission.id);
  }

  admit(admissions: readonly Admission[]): Finished[] {
    const finished: Finished[] = [];
    for (const admission of admissions) {
      const opened = openSequence(admission, this.#plan, this.slots);
      if (opened instanceof Sequence) this.#encoder.add(opened);
      else finished.push(opened);
    }
    return finished;
  }

  evict(ids: readonly number[]): void {
    const gone = new Set(ids);
    const isGone = ({ admission }: Sequence) => gone.has(admission.id);
    this.#encoder.drop(isGone);
    this.#ready = this.#ready.filter(({ sequence }) => !isGone(sequence));
    for (const sequence of this.#begun.keys()) if (isGone(sequence)) this.#begun.delete(sequence);
    for (const cohort of this.#cohorts) cohort.evict(isGone);
    this.#cohorts = this.#cohorts.filter(({ size }) => size > 0);
  }

  async advance(budgetMs: number): Promise<Progress> {
    const waitingRank = this.#encoder.waiting[0]?.admission.rank ?? Number.POSITIVE_INFINITY;
    const readyRank = Math.min(...this.#ready.map(({ sequence }) => sequence.admission.rank));
    const cohort = this.#mostUrgentCohort();
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
    const { encoded, failed } = await this.#encoder.encode(budgetMs, this.slots);
    for (const { sequence, states } of encoded)
      this.#ready.push({ sequence, states: this.#decoder.encoderStates(states) });
    return { finished: failed, lines: 0, tokens: 0 };
  }

  /** The first ready row of this rank, with all that can join it. */
  #openCohort(rank: number): Cohort | null {
    const own = this.#ready.filter(({ sequence }) => sequence.admission.rank === rank);
    const [first] = own;
    if (!first) return null;
    const rows: ReadyRow[] = [];
    let lines = 0;
    for (const row of own) {
      if (cohortKey(row) !== cohortKey(first)) continue;
      lines += row.sequence.width;
      if (rows.length > 0 && lines > this.slots) break;
      rows.push(row);
    }
    const taken = new Set(rows);
    this.#ready = this.#ready.filter((row) => !taken.has(row));
    for (const row of rows) this.#begun.set(row.sequence, row);
    const cohort = new Cohort(rows, this.#decoder);
    this.#cohorts.push(cohort);
    return cohort;
  }

  async #step(cohort: Cohort): Promise<Progress> {
    const lines = cohort.size;
    const { ended, written } = await cohort.step();
    if (cohort.size === 0) this.#cohorts = this.#cohorts.filter((other) => other !== cohort);
    return { finished: ended.flatMap((sequence) => this.#close(sequence)), lines, tokens: written };
  }

  #close(sequence: Sequence): Finished[] {
    const row = this.#begun.get(sequence);
    this.#begun.delete(sequence);
    const finished = closeSequence(sequence);
    if (finished) return [finished];
    if (row) this.#ready.push(row);
    return [];
  }
}
