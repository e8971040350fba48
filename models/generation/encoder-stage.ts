/**
 * Rows on their way through the encoder, a chunk at a time, so that one call stays short and who decodes can go on
 * between. How many rows a chunk has is found by measuring: on CPUs a long row gains nothing from company.
 */
import { Problem } from '../../shared/problems/problem.ts';
import { freeLarge } from '../free-memory.ts';
import type { BatchTensor, GenerationPlan } from '../task.ts';
import { ChunkSize } from './chunk-size.ts';
import type { Encode } from './encode.ts';
import type { Tensors } from './engine.ts';
import { rowOf } from './row-tensors.ts';
import type { Finished, Sequence } from './sequence.ts';

/** A row with what the encoder gave for it alone; each tensor has one row. */
export interface EncodedRow {
  readonly sequence: Sequence;
  readonly states: Tensors;
  /** Nobody reads the states again: their memory goes back once all rows of the chunk have said so. */
  readonly release: () => void;
}

export interface EncoderReport {
  readonly encoded: readonly EncodedRow[];
  readonly failed: readonly Finished[];
}

export class EncoderStage {
  readonly #encode: Encode;
  readonly #plan: GenerationPlan;
  readonly #sizes = new ChunkSize();
  readonly #waiting: Sequence[] = [];
  /** Rows of a chunk that failed: alone, the one that is at fault shows. */
  readonly #alone = new Set<Sequence>();

  constructor(encode: Encode, plan: GenerationPlan) {
    this.#encode = encode;
    this.#plan = plan;
  }

  get waiting(): readonly Sequence[] {
    return this.#waiting;
  }

  add(sequence: Sequence): void {
    const behind = this.#waiting.findIndex(({ admission }) => admission.rank > sequence.admission.rank);
    this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, sequence);
  }

  drop(isGone: (sequence: Sequence) => boolean): void {
    const kept = this.#waiting.filter((sequence) => !isGone(sequence));
    this.#waiting.splice(0, this.#waiting.length, ...kept);
  }

  /** Encodes the most urgent rows, as many as fit into `budgetMs` and at least one; `rowsMax` at most. */
  async encode(budgetMs: number, rowsMax: number): Promise<EncoderReport> {
    const chunk = this.#takeChunk(budgetMs, rowsMax);
    const startedAt = performance.now();
    try {
      const feeds = this.#plan.collate(chunk.map(({ admission }) => admission.row));
      const states = await this.#encode(feeds);
      this.#sizes.observe(chunk.length, performance.now() - startedAt);
      freeLarge(withoutThose(feeds, states));
      let held = chunk.length;
      const release = () => {
        if (--held === 0) freeLarge(states);
      };
      return {
        encoded: chunk.map((sequence, row) => ({ sequence, states: statesOf(states, row), release })),
        failed: [],
      };
    } catch (error) {
      const [first, ...others] = chunk;
      if (first && others.length === 0) return { encoded: [], failed: [refused(first, error)] };
      for (const sequence of chunk) this.#alone.add(sequence);
      this.#waiting.unshift(...chunk);
      return { encoded: [], failed: [] };
    }
  }

  #takeChunk(budgetMs: number, rowsMax: number): Sequence[] {
    const [first] = this.#waiting;
    if (!first) throw new Error('No row waits for the encoder.');
    if (this.#alone.delete(first)) return this.#waiting.splice(0, 1);
    const { row, rank } = first.admission;
    const mates = this.#waiting.filter(
      (mate) => mate.admission.rank === rank && mate.admission.row.shapeKey === row.shapeKey && !this.#alone.has(mate),
    );
    const chunk = mates.slice(0, this.#sizes.choose(Math.min(mates.length, rowsMax), budgetMs));
    const taken = new Set(chunk);
    this.drop((sequence) => taken.has(sequence));
    return chunk;
  }
}

/** A mask that was fed may be one of the states. */
function withoutThose(feeds: Tensors, states: Tensors): Tensors {
  const kept = new Set(Object.values(states));
  return Object.fromEntries(Object.entries(feeds).filter(([, tensor]) => !kept.has(tensor)));
}

function statesOf(states: Tensors, row: number): Record<string, BatchTensor> {
  return Object.fromEntries(Object.entries(states).map(([name, tensor]) => [name, rowOf(tensor, row)]));
}

function refused({ admission }: Sequence, error: unknown): Finished {
  const detail = `The model refused this item: ${(error as Error).message.slice(0, 200)}`;
  return { id: admission.id, outcome: { problem: new Problem('inference-failed', detail).toDetails() }, tokens: 0 };
}
