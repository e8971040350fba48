/**
 * Rows that stand at the same position of a stock decoder and are stepped together. Rows that end leave at once; nobody
 * joins. Owns the cache of its rows.
 */
import type { EncodedRow } from './encoder-stage.ts';
import type { Tensors } from './engine.ts';
import { type Arrangement, type Line, openLines, takeLogits, withoutRows } from './lines.ts';
import { arrangeRows, joinRows } from './row-tensors.ts';
import type { Sequence } from './sequence.ts';
import type { StockDecoder, StockStates } from './stock-decoder.ts';

/** Rows with equal keys can share a cohort. */
export function cohortKey({ sequence, states }: EncodedRow): string {
  const shapes = Object.values(states).map(({ dims }) => dims.slice(1).join('x'));
  return [sequence.promptIds.length, ...shapes].join(',');
}

export class Cohort {
  readonly rank: number;
  readonly #decoder: StockDecoder;
  #lines: Line[];
  #states: StockStates;

  constructor(rows: readonly EncodedRow[], decoder: StockDecoder) {
    this.rank = Math.min(...rows.map(({ sequence }) => sequence.admission.rank));
    this.#decoder = decoder;
    this.#lines = rows.flatMap(({ sequence }) => openLines(sequence, sequence.promptIds.length - 1));
    const perLine = rows.flatMap(({ sequence, states }) => Array.from({ length: sequence.width }, () => states));
    const names = Object.keys(rows[0]?.states ?? {});
    const encoder = names.map((name) => [name, joinRows(perLine.map((states) => states[name] as never))] as const);
    this.#states = { encoder: Object.fromEntries(encoder), past: {} };
  }

  get size(): number {
    return this.#lines.length;
  }

  get sequences(): Set<Sequence> {
    return new Set(this.#lines.map(({ sequence }) => sequence));
  }

  /** Feeds every line its next token (the first time: the prompt). */
  async step(): Promise<Arrangement> {
    const position = this.#lines[0]?.position ?? 0;
    const isFirst = Object.keys(this.#states.past).length === 0;
    const from = isFirst ? 0 : position;
    const { logits, past } = await this.#decoder.call(this.#lines, from, this.#states);
    const [, fed = 1, vocabulary = 0] = logits.dims;
    const data = logits.data as Float32Array;
    const logitsAt = (line: number, at: number) =>
      data.subarray((line * fed + at) * vocabulary, (line * fed + at + 1) * vocabulary);
    if (isFirst) this.#passPrompt(position, (line, at) => logitsAt(line, Math.min(at, fed - 1)));
    this.#states = { ...this.#states, past };
    const arrangement = takeLogits(this.#lines, (line) => logitsAt(line, fed - 1));
    this.#arrange(arrangement);
    return arrangement;
  }

  evict(isGone: (sequence: Sequence) => boolean): void {
    this.#arrange(withoutRows(this.#lines, isGone));
  }

  /** All but the last token of the prompt, whose logits `takeLogits` passes on. */
  #passPrompt(last: number, logitsAt: (line: number, at: number) => Float32Array): void {
    for (const [index, { sequence, beam, position }] of this.#lines.entries())
      if (beam === 0 && position === last && last === sequence.promptIds.length - 1)
        for (let at = 0; at < last; at++) sequence.passPrompt(at, logitsAt(index, at));
  }

  #arrange({ lines, sources }: Arrangement): void {
    const staysAsItIs = lines.length === this.#lines.length && sources.every((source, line) => source === line);
    this.#lines = lines;
    if (lines.length === 0 || staysAsItIs) return;
    const arrange = (tensors: Tensors) =>
      Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, arrangeRows(tensor, sources)]));
    this.#states = { encoder: arrange(this.#states.encoder), past: arrange(this.#states.past) };
  }
}
