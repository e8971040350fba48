/**
 * The lines of a decoder's batch: which row each belongs to, and where they move when rows end or beams change parents.
 * What is left stays where it is; holes are filled from the end, so that one evicted row moves one row, not all.
 */
import type { Sequence } from './sequence.ts';

export interface Line {
  readonly sequence: Sequence;
  /** Which of its sequence's lines. */
  readonly beam: number;
  /** Prompt and what was written, the token that is fed next included. */
  readonly tokens: number[];
  /** Position of the token that is fed next. */
  position: number;
}

/** Where the lines of the next batch come from: line i goes on from line `sources[i]` of this one. */
export interface Arrangement {
  readonly lines: Line[];
  readonly sources: number[];
  /** Rows whose writers said that they are done. */
  readonly ended: Sequence[];
  /** Tokens that were written: what prompts feed is not counted. */
  readonly written: number;
}

/** Lines of a row that starts at its prompt's first token, or after `fed` tokens of it. */
export function openLines(sequence: Sequence, fed = 0): Line[] {
  const { promptIds, width } = sequence;
  return Array.from({ length: width }, (_, beam) => ({
    sequence,
    beam,
    tokens: promptIds.slice(0, fed + 1),
    position: fed,
  }));
}

/** After a call of the decoder: every row takes the logits of its lines. */
export function takeLogits(lines: readonly Line[], logitsOf: (index: number) => Float32Array): Arrangement {
  const next: (Line | null)[] = new Array(lines.length).fill(null);
  const sources = lines.map((_, index) => index);
  const ended: Sequence[] = [];
  let written = 0;
  for (const [sequence, own] of groupBySequence(lines)) {
    const step = nextTokens(sequence, lines, own, logitsOf);
    if (step === null) {
      ended.push(sequence);
      continue;
    }
    if (step.isWritten) written += own.length;
    for (const [beam, index] of own.entries()) {
      const source = own[step.from[beam] as number] as number;
      const parent = lines[source] as Line;
      const line = lines[index] as Line;
      // Only a beam that changes its parent needs a history of its own.
      const tokens = own.length === 1 ? parent.tokens : [...parent.tokens];
      next[index] = { sequence, beam, tokens, position: line.position + 1 };
      sources[index] = source;
    }
    for (const [beam, index] of own.entries()) next[index]?.tokens.push(step.ids[beam] as number);
  }
  return { ...closeHoles(next, sources), ended, written };
}

/** The arrangement without some rows. */
export function withoutRows(lines: readonly Line[], isGone: (sequence: Sequence) => boolean): Arrangement {
  const next = lines.map((line) => (isGone(line.sequence) ? null : line));
  return {
    ...closeHoles(
      next,
      lines.map((_, index) => index),
    ),
    ended: [],
    written: 0,
  };
}

function nextTokens(
  sequence: Sequence,
  lines: readonly Line[],
  own: readonly number[],
  logitsOf: (index: number) => Float32Array,
) {
  const first = own[0] as number;
  const { position } = lines[first] as Line;
  const { promptIds } = sequence;
  if (position < promptIds.length) sequence.passPrompt(position, logitsOf(first));
  if (position < promptIds.length - 1) {
    const id = promptIds[position + 1] as number;
    return { ids: own.map(() => id), from: [...own.keys()], isWritten: false };
  }
  const taken = sequence.take(own.map(logitsOf));
  return taken && { ...taken, isWritten: true };
}

/** Indices of each row's lines, by beam. */
function groupBySequence(lines: readonly Line[]): Map<Sequence, number[]> {
  const groups = new Map<Sequence, number[]>();
  for (const [index, { sequence, beam }] of lines.entries()) {
    const own = groups.get(sequence) ?? [];
    own[beam] = index;
    groups.set(sequence, own);
  }
  return groups;
}

function closeHoles(lines: (Line | null)[], sources: number[]): { lines: Line[]; sources: number[] } {
  const count = lines.reduce((sum, line) => sum + (line ? 1 : 0), 0);
  let tail = lines.length - 1;
  for (let at = 0; at < count; at++) {
    if (lines[at]) continue;
    while (!lines[tail]) tail--;
    lines[at] = lines[tail] as Line;
    sources[at] = sources[tail] as number;
    lines[tail--] = null;
  }
  return { lines: lines.slice(0, count) as Line[], sources: sources.slice(0, count) };
}

/**
 * Calls `copy(from, to)` and `save(row)` so that row i holds what row `sources[i]` held. A row that is overwritten before
 * it is read (beams that swap) is saved first; ends of rows never need it.
 */
export function moveRows<Saved>(
  sources: readonly number[],
  rows: { save(row: number): Saved; copy(from: number, to: number): void; restore(saved: Saved, to: number): void },
): void {
  const moves = [...sources.entries()].filter(([to, from]) => to !== from);
  const targets = new Set(moves.map(([to]) => to));
  const saved = new Map<number, Saved>();
  for (const [, from] of moves) if (targets.has(from) && !saved.has(from)) saved.set(from, rows.save(from));
  for (const [to, from] of moves) {
    const kept = saved.get(from);
    if (kept === undefined) rows.copy(from, to);
    else rows.restore(kept, to);
  }
}
