/**
 * What a lane sees of decoding: rows are admitted, `advance` does one piece of work (a chunk of the encoder or one step of
 * the decoder), rows that end come back with their outcomes, and rows may be evicted at any time.
 */
import type { Row, RowOutcome } from '../task.ts';
import type { Admission, Finished } from './sequence.ts';

export interface Progress {
  readonly finished: readonly Finished[];
  /** Lines that the decoder stepped; 0 for a chunk of the encoder. */
  readonly lines: number;
  /** Tokens that were written. */
  readonly tokens: number;
}

export interface Decoder {
  /** Rows that it holds at most at one time, one line each. */
  readonly slots: number;
  /** True when rows can only begin together: new ones wait until those that run are done. */
  readonly isLockstep: boolean;
  /** Rows that are held, in whatever state. */
  readonly held: readonly number[];
  /** Rows that can not even begin come back at once. */
  admit(admissions: readonly Admission[]): Finished[];
  /** Unknown ids are let be: the row may just have ended. */
  evict(ids: readonly number[]): void;
  /** `budgetMs` bounds a chunk of the encoder; a step is never divided. Rejects when a step fails: all rows are lost. */
  advance(budgetMs: number): Promise<Progress>;
}

/** Writes these rows alone, beside each other, to their end. */
export async function writeRows(decoder: Decoder, rows: readonly Row[]): Promise<RowOutcome[]> {
  const finished = decoder.admit(rows.map((row, id) => ({ id, row, rank: 0 })));
  while (decoder.held.length > 0) finished.push(...(await decoder.advance(0)).finished);
  const outcomes = new Map(finished.map(({ id, outcome }) => [id, outcome]));
  return rows.map((_, id) => outcomes.get(id) as RowOutcome);
}
