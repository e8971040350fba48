/** The table of the oracle, measured on the lanes themselves within a block: what the best partition could count on now. */
import { type CallMs, interpolate } from '../simulator/latency-table.ts';
import type { RealTrack } from './real-track.ts';

const rowCounts = [1, 2, 4, 8, 16, 32];
const lengths = [8, 16, 32, 64, 128, 256];
const tries = 3;
/** Calls far beyond any that pays are not measured: rows of the table grow in proportion from there. */
const unitsMax = 2100;

export async function measureTable(track: RealTrack): Promise<CallMs> {
  const ms: number[][] = [];
  for (const length of lengths) {
    const line: number[] = [];
    for (const rows of rowCounts) {
      const [[value] = []] =
        rows * length <= unitsMax ? await track.measureCalls([rows], [length], tries) : [[2 * (line.at(-1) ?? 0)]];
      line.push(value ?? 0);
    }
    ms.push(line);
  }
  return interpolate({ name: 'now', rows: rowCounts, lengths, ms });
}
