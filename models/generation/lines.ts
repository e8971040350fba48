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

/** What a call of the decoder made of its lines: each stays where it is, or is gone. */
export interface Advance {
  readonly lines: (Line | null)[];
  /** Beams that changed their parents: line i goes on from line `sources[i]`. Null where each goes on from itself. */
  readonly sources: number[] | null;
  readonly ended: Sequence[];
  readonly written: number;
}

/** After a call of the decoder: every row takes the logits of its lines. Lines of rows that go on are changed in place. */
export function advanceLines(lines: readonly Line[], logitsOf: (index: number) => Float32Array): Advance {
  const next: (Line | null)[] = [...lines];
  const ended: Sequence[] = [];
  let sources: number[] | null = null;
  let written = 0;
  for (const [index, line] of lines.entries()) {
    // A search is told by its first beam; its lines may lie anywhere.
    if (line.beam !== 0) continue;
    const { sequence } = line;
    const own = sequence.width === 1 ? [index] : beamsOf(sequence, lines);
    const step = nextTokens(sequence, line, own, logitsOf);
    if (step === null) {
      ended.push(sequence);
      for (const at of own) next[at] = null;
      continue;
    }
    if (step.isWritten) written += own.length;
    if (step.from) {
      sources ??= lines.map((_, at) => at);
      changeParents(own, step.from, lines, next, sources);
    }
    for (const [beam, at] of own.entries()) {
      const moved = next[at] as Line;
      moved.tokens.push(step.ids[beam] as number);
      moved.position++;
    }
  }
  return { lines: next, sources, ended, written };
}

/** The same, closed up. */
export function takeLogits(lines: readonly Line[], logitsOf: (index: number) => Float32Array): Arrangement {
  const { lines: next, sources, ended, written } = advanceLines(lines, logitsOf);
  return { ...closeHoles(next, sources ?? next.map((_, index) => index)), ended, written };
}

/** The arrangement without some rows. */
export function withoutRows(lines: readonly Line[], isGone: (sequence: Sequence) => boolean): Arrangement {
  const next = lines.map((line) => (isGone(line.sequence) ? null : line));
  const sources = lines.map((_, index) => index);
  return { ...closeHoles(next, sources), ended: [], written: 0 };
}

/** Null when the row is done; `from` only where beams may have changed their parents. */
function nextTokens(
  sequence: Sequence,
  { position }: Line,
  own: readonly number[],
  logitsOf: (index: number) => Float32Array,
) {
  const { promptIds } = sequence;
  if (position < promptIds.length) sequence.passPrompt(position, logitsOf(own[0] as number));
  if (position < promptIds.length - 1) {
    const id = promptIds[position + 1] as number;
    return { ids: own.map(() => id), from: null, isWritten: false };
  }
  const taken = sequence.take(own.map(logitsOf));
  return taken && { ids: taken.ids, from: own.length > 1 ? taken.from : null, isWritten: true };
}

/** Indices of a row's lines, by beam. */
function beamsOf(sequence: Sequence, lines: readonly Line[]): number[] {
  const own: number[] = [];
  for (const [index, line] of lines.entries()) if (line.sequence === sequence) own[line.beam] = index;
  return own;
}

/** Each beam gets a history of its own: that of its parent. */
function changeParents(
  own: readonly number[],
  from: readonly number[],
  lines: readonly Line[],
  next: (Line | null)[],
  sources: number[],
): void {
  for (const [beam, index] of own.entries()) {
    const source = own[from[beam] as number] as number;
    const parent = lines[source] as Line;
    next[index] = { ...parent, beam, tokens: [...parent.tokens] };
    sources[index] = source;
  }
}

/** The last lines go into the holes; in the end line i comes from line `sources[i]`. */
export function closeHoles(lines: (Line | null)[], sources: number[]): { lines: Line[]; sources: number[] } {
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
  if (moves.length === 0) return;
  const targets = new Set(moves.map(([to]) => to));
  const saved = new Map<number, Saved>();
  for (const [, from] of moves) if (targets.has(from) && !saved.has(from)) saved.set(from, rows.save(from));
  for (const [to, from] of moves) {
    const kept = saved.get(from);
    if (kept === undefined) rows.copy(from, to);
    else rows.restore(kept, to);
  }
}
