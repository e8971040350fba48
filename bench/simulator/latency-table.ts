/** What a call takes on a device: measured at some rows and lengths, read between them on logarithmic scales. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface LatencyTable {
  readonly name: string;
  readonly rows: readonly number[];
  readonly lengths: readonly number[];
  /** [length][rows]; null where the call was too slow to measure. */
  readonly ms: readonly (readonly (number | null)[])[];
}

export type CallMs = (rows: number, length: number) => number;

export function readTable(name: string): LatencyTable {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'tables', `${name}.json`), 'utf8')) as LatencyTable;
}

/** Beyond the table's edge time grows with the padded size. */
export function interpolate(table: LatencyTable): CallMs {
  const known = new Map<number, number>();
  return (rows, length) => {
    const key = rows * 65_536 + length;
    const ms = known.get(key) ?? read(table, rows, length);
    known.set(key, ms);
    return ms;
  };
}

function read({ rows: counts, lengths, ms }: LatencyTable, rows: number, length: number): number {
  const n = place(counts, rows);
  const l = place(lengths, length);
  const at = (i: number, j: number) => Math.log(ms[i]?.[j] ?? Number.NaN);
  const low = at(l.at, n.at) * (1 - n.part) + at(l.at, n.at + 1) * n.part;
  const high = at(l.at + 1, n.at) * (1 - n.part) + at(l.at + 1, n.at + 1) * n.part;
  return Math.exp(low * (1 - l.part) + high * l.part) * n.beyond * l.beyond;
}

/** Between which entries a value lies, and how far along; `beyond`: its ratio to the edge that it passed. */
function place(edges: readonly number[], value: number): { at: number; part: number; beyond: number } {
  const first = edges[0] as number;
  const last = edges.at(-1) as number;
  const inside = Math.min(last, Math.max(first, value));
  let at = 0;
  while (at < edges.length - 2 && inside > (edges[at + 1] as number)) at++;
  const [low, high] = [edges[at] as number, edges[at + 1] as number];
  return { at, part: Math.log(inside / low) / Math.log(high / low), beyond: value > last ? value / last : 1 };
}
