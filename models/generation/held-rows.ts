/**
 * The rows that a decoder holds, by how far they are: waiting for the encoder, encoded, begun, written and to be looked
 * back on. What happens to a row before its first step and after its last is the same for every decoder; what happens
 * between is theirs.
 */
import { Problem } from '../../shared/problems/problem.ts';
import type { GenerationPlan, RowOutcome } from '../task.ts';
import type { Encode } from './encode.ts';
import { type EncodedRow, EncoderStage } from './encoder-stage.ts';
import type { Tensors } from './engine.ts';
import { type Admission, type Finished, type ReviewDue, Sequence } from './sequence.ts';

/** One call over known tokens of a row, by what the encoder gave for it: the outputs that are wanted. */
export type Reviewer = (ids: readonly number[], states: Tensors, wanted: readonly string[]) => Promise<Tensors>;

export class HeldRows {
  readonly encoder: EncoderStage;
  readonly #plan: GenerationPlan;
  readonly #linesMax: number;
  /** Null where the graph takes one token at a time. */
  readonly #reviewer: Reviewer | null;
  /** Encoded and not begun, in the order in which they are to begin. */
  #ready: EncodedRow[] = [];
  /** What the encoder gave, for rows that begin again. */
  readonly #begun = new Map<Sequence, EncodedRow>();
  #written: (EncodedRow & ReviewDue)[] = [];

  constructor(encode: Encode, plan: GenerationPlan, linesMax: number, reviewer: Reviewer | null = null) {
    this.encoder = new EncoderStage(encode, plan);
    this.#plan = plan;
    this.#linesMax = linesMax;
    this.#reviewer = reviewer;
  }

  get ids(): number[] {
    const encoded = [...this.#ready, ...this.#written].map(({ sequence }) => sequence);
    return [...this.encoder.waiting, ...encoded, ...this.#begun.keys()].map(({ admission }) => admission.id);
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
    for (const { sequence, release } of [...this.#ready, ...this.#written, ...this.#begun.values()])
      if (isGone(sequence)) release();
    this.#ready = this.#ready.filter(({ sequence }) => !isGone(sequence));
    this.#written = this.#written.filter(({ sequence }) => !isGone(sequence));
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

  /** A row whose writer is done: its outcome; nothing where it begins again, or is to be looked back on. */
  close(sequence: Sequence): Finished[] {
    const row = this.#begun.get(sequence);
    this.#begun.delete(sequence);
    const closed = tryToClose(sequence);
    if (closed && 'review' in closed && row && this.#reviewer) this.#written.push({ ...row, ...closed });
    else if (closed) {
      row?.release();
      if ('outcome' in closed) return [closed];
      return [{ id: sequence.admission.id, outcome: unreviewed('it takes one token at a time'), tokens: 0 }];
    }
    // Ahead of those that never began.
    else if (row) this.#ready.unshift(row);
    return [];
  }

  /** Of the most urgent row that is to be looked back on; infinite when there is none. */
  get reviewRank(): number {
    return Math.min(...this.#written.map(({ sequence }) => sequence.admission.rank));
  }

  /** Looks back on the most urgent row, alone. What fails there fails that row. */
  async review(): Promise<Finished[]> {
    const rank = this.reviewRank;
    const due = this.#written.find(({ sequence }) => sequence.admission.rank === rank);
    if (!due) return [];
    this.#written = this.#written.filter((other) => other !== due);
    const { id } = due.sequence.admission;
    const outcome = await this.#look(due);
    due.release();
    return [{ id, outcome, tokens: due.tokens }];
  }

  async #look({ states, review }: EncodedRow & ReviewDue): Promise<RowOutcome> {
    try {
      const outputs = await this.#reviewer?.(review.ids, states, review.outputs);
      return review.conclude(outputs ?? {});
    } catch (error) {
      return unreviewed(messageOf(error));
    }
  }
}

/** The row's sequence, or its outcome when it can not begin. */
function openSequence(admission: Admission, plan: GenerationPlan, linesMax: number): Sequence | Finished {
  const { id } = admission;
  try {
    const sequence = new Sequence(admission, plan);
    const fault = sequence.faultAmong(linesMax);
    return fault ? { id, outcome: fault, tokens: 0 } : sequence;
  } catch (error) {
    return { id, outcome: failure(`The row can not begin: ${messageOf(error)}`), tokens: 0 };
  }
}

/** Null when its plan wants another attempt. A plan that throws fails its row alone. */
function tryToClose(sequence: Sequence): Finished | ReviewDue | null {
  try {
    return sequence.close();
  } catch (error) {
    const outcome = failure(`The text can not be read: ${messageOf(error)}`);
    return { id: sequence.admission.id, outcome, tokens: 0 };
  }
}

function unreviewed(reason: string): RowOutcome {
  return failure(`The model can not look back on its text: ${reason}`);
}

function failure(detail: string): RowOutcome {
  return { problem: new Problem('inference-failed', detail).toDetails() };
}

function messageOf(error: unknown): string {
  return (error as Error).message.slice(0, 200);
}
