/** Waiting rows and devices of known cost, for tests of policies. */
import type { PolicyParts } from '../adaptive-policy.ts';
import type { CostModel, LaneView, WaitingRow } from '../policy.ts';

let clock = 0;

/** One arrives per ms, unless told otherwise. */
export function waitingRow(extra: Partial<WaitingRow> = {}): WaitingRow {
  return {
    model: 'm',
    class: 'normal',
    length: 10,
    shapeKey: 'x',
    arrivedMs: clock++,
    deadlineMs: Number.POSITIVE_INFINITY,
    suspect: false,
    ...extra,
  };
}

export function waitingRows(count: number, extra: Partial<WaitingRow> = {}): WaitingRow[] {
  return Array.from({ length: count }, () => waitingRow(extra));
}

/** A device whose calls take what `ms` says, always. */
export function knownCost(ms: (rows: number, length: number) => number): CostModel {
  const predictMs = (_model: string, rows: number, length: number) => ms(rows, length);
  return { predictMs, p99Factor: () => 1, observe: () => {} };
}

/** A call costs a + b * padded units. */
export function linearCost(a: number, b: number): CostModel {
  return knownCost((rows, length) => a + b * rows * length);
}

export function freeLanes(count: number): LaneView[] {
  return Array.from({ length: count }, () => ({ endsMs: null }));
}

/** Calls of any size have run before. */
export const grown: PolicyParts['growth'] = { unitsMax: () => Number.POSITIVE_INFINITY, ran() {}, forget() {} };
