/**
 * The rows that a decoder holds, by how far they are: waiting for the encoder, encoded, begun. What happens to a row
 * before its first step and after its last is the same for every decoder; what happens between is theirs.
 */
import { Problem } from '../../shared/problems/problem.ts';
import type { GenerationPlan } from '../task.ts';
import { type EncodedRow, EncoderStage } from './encoder-stage.ts';
import type { Engine } from './engine.ts';
import { type Admission, type Finished, Sequence } from './sequence.ts';

export class HeldRows {
  readonly encoder: EncoderStage;
  readonly #plan: GenerationPlan;
  readonly #linesMax: number;
  /** Encoded and not begun, in the order in which they are to begin. */
  #ready: EncodedRow[] = [];
  /** What the encoder gave, for rows that begin again. */
  readonly #begun = new Map<Sequence, EncodedRow>();

  constructor(engine: Engine, plan: GenerationPlan, linesMax: number) {
    this.encoder = new EncoderStage(engine, plan);
    this.#plan = plan;
    this.#linesMax = linesMax;
  }

  get ids(): number[] {
    const ready = this.#ready.map(({ sequence }) => sequence);
    return [...this.encoder.waiting, ...ready, ...this.#begun.keys()].map(({ admission }) => admission.id);
  }

  get ready(): readonly EncodedRow[] {
    return this.#ready;
  }

  /** Rows that can not even begin come back at once. */
  admit(admissions: readonly Admission[]): Finished[] {
    const finished: Finished[] = [];
    for (const admission of admissions) {
      const opened = openSequence(admission, this.#plan, this.#linesMax);
      if (opened instanceof Sequence) this.encoder.add(opened);
      else finished.push(opened);
    }
    return finished;
  }

  /** Lets go of these rows; returns what tells them, for the decoder to drop their lines. */
  evict(ids: readonly number[]): (sequence: Sequence) => boolean {
    const gone = new Set(ids);
    const isGone = ({ admission }: Sequence) => gone.has(admission.id);
    this.encoder.drop(isGone);
    this.#ready = this.#ready.filter(({ sequence }) => !isGone(sequence));
    for (const sequence of this.#begun.keys()) if (isGone(sequence)) this.#begun.delete(sequence);
    return isGone;
  }

  /** Rows that the encoder is done with. */
  addReady(rows: readonly EncodedRow[]): void {
    this.#ready.push(...rows);
  }

  begin(rows: readonly EncodedRow[]): void {
    const taken = new Set(rows);
    this.#ready = this.#ready.filter((row) => !taken.has(row));
    for (const row of rows) this.#begun.set(row.sequence, row);
  }

  /** A row whose writer is done: its outcome, or nothing where it begins again, ahead of those that never began. */
  close(sequence: Sequence): Finished[] {
    const row = this.#begun.get(sequence);
    this.#begun.delete(sequence);
    const finished = closeSequence(sequence);
    if (finished) return [finished];
    if (row) this.#ready.unshift(row);
    return [];
  }
}

/** The row's sequence, or its outcome when it can not begin. */
function openSequence(admission: Admission, plan: GenerationPlan, linesMax: number): Sequence | Finished {
  try {
    const sequence = new Sequence(admission, plan);
    const fault = sequence.faultAmong(linesMax);
    return fault ? { id: admission.id, outcome: fault, tokens: 0 } : sequence;
  } catch (error) {
    const problem = new Problem('inference-failed', `The row can not begin: ${(error as Error).message.slice(0, 200)}`);
    return { id: admission.id, outcome: { problem: problem.toDetails() }, tokens: 0 };
  }
}

/** Ends a row; null when its plan wants another attempt. A plan that throws fails its row alone. */
function closeSequence(sequence: Sequence): Finished | null {
  try {
    return sequence.close();
  } catch (error) {
    const problem = new Problem(
      'inference-failed',
      `The text can not be read: ${(error as Error).message.slice(0, 200)}`,
    );
    return { id: sequence.admission.id, outcome: { problem: problem.toDetails() }, tokens: 0 };
  }
}
