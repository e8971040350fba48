/** The tables of the oracle, measured on the lanes themselves within a block: what the best partition could count on now. */
import { median } from '../method/ratio.ts';
import { type CallMs, interpolate } from '../simulator/latency-table.ts';
import type { RealTrack } from './real-track.ts';

const rowCounts = [1, 2, 4, 8, 16, 32];
const lengths = [8, 16, 32, 64, 128, 256];
const tries = 3;
/** Calls far beyond any that pays are not measured: rows of the table grow in proportion from there. */
const unitsMax = 2100;

export interface MeasuredTables {
  /** The median of the calls: an oracle knows the best partition, but has no luckier machine than others. */
  readonly usual: CallMs;
  /** The fastest of the calls, which no rule gets every time: shown beside it, since it was the oracle before. */
  readonly luckiest: CallMs;
}

export async function measureTables(track: RealTrack): Promise<MeasuredTables> {
  const usual: number[][] = [];
  const luckiest: number[][] = [];
  for (const length of lengths) {
    const [medians, leasts]: [number[], number[]] = [[], []];
    for (const rows of rowCounts) {
      const ms = rows * length <= unitsMax ? await track.measureCalls(rows, length, tries) : [];
      medians.push(ms.length > 0 ? median(ms) : 2 * (medians.at(-1) ?? 0));
      leasts.push(ms.length > 0 ? Math.min(...ms) : 2 * (leasts.at(-1) ?? 0));
    }
    usual.push(medians);
    luckiest.push(leasts);
  }
  const table = (ms: number[][]) => interpolate({ name: 'now', rows: rowCounts, lengths, ms });
  return { usual: table(usual), luckiest: table(luckiest) };
}
