/**
 * Two layouts side by side on the calls that really ran: lanes of their own, blocks in ABBA order, one ratio per pair of
 * blocks. Takes three seconds and the memory of both teams; ends at once when somebody wants the cores.
 */
import { type ModelFiles, unitOf } from '../../models/repository/model-files.ts';
import { Lane, laneEntry } from '../lane/lane.ts';
import type { LaneRow } from '../lane/lane-protocol.ts';
import type { SampledCall } from './call-sample.ts';
import type { Layout } from './layout.ts';

export interface RaceParts {
  readonly device: string;
  readonly models: readonly ModelFiles[];
  readonly calls: readonly SampledCall[];
  readonly signal: AbortSignal;
  /** Module of the lane process; the real one when absent. */
  readonly entry?: string;
}

const pairs = 6;
const blockMs = 250;
const callLimitMs = 30_000;

/** Work of the challenger over that of the layout in force, per pair; null when it was broken off or a lane failed. */
export async function raceLayouts(inForce: Layout, challenger: Layout, parts: RaceParts): Promise<number[] | null> {
  const teams = [new Team(inForce, parts), new Team(challenger, parts)] as const;
  try {
    for (const team of teams) if (!(await team.load())) return null;
    // The first calls of a session allocate what the others find.
    for (const team of teams) if ((await team.work(blockMs)) === null) return null;
    const ratios: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const order = pair % 2 === 0 ? [0, 1] : [1, 0];
      const rates: (number | null)[] = [null, null];
      for (const at of order) rates[at] = await (teams[at] as Team).work(blockMs);
      const [base, other] = rates;
      if (!base || !other) return null;
      ratios.push(other / base);
    }
    return ratios;
  } finally {
    for (const team of teams) await team.close();
  }
}

class Team {
  readonly #parts: RaceParts;
  readonly #lanes: readonly Lane[];

  constructor({ lanes, threads }: Layout, parts: RaceParts) {
    this.#parts = parts;
    const { device, entry = laneEntry } = parts;
    this.#lanes = Array.from({ length: lanes }, (_, i) => new Lane(`race-${threads}-${i}`, { device, threads }, entry));
    parts.signal.addEventListener('abort', () => this.#kill(), { once: true });
  }

  /** False when a lane could not load a model. */
  async load(): Promise<boolean> {
    const loads = this.#lanes.map(async (lane) => {
      for (const files of this.#parts.models) {
        const load = await lane.load(files);
        if (!load || load.reason !== undefined) return false;
      }
      return true;
    });
    return (await Promise.all(loads)).every(Boolean) && !this.#parts.signal.aborted;
  }

  /** Ms of sampled work per ms, of all lanes together; each from its own place in the sample. Null when it broke. */
  async work(ms: number): Promise<number | null> {
    const { calls } = this.#parts;
    const rates = await Promise.all(
      this.#lanes.map((lane, i) => this.#loop(lane, Math.floor((i * calls.length) / this.#lanes.length), ms)),
    );
    let sum = 0;
    for (const rate of rates) {
      if (rate === null) return null;
      sum += rate;
    }
    return sum;
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
  }

  async #loop(lane: Lane, from: number, ms: number): Promise<number | null> {
    const { calls, signal } = this.#parts;
    const startedAt = performance.now();
    let workMs = 0;
    for (let at = from; performance.now() - startedAt < ms; at++) {
      const call = calls[at % calls.length] as SampledCall;
      const rows = call.rows.map((row): LaneRow => ({ row, alone: false }));
      const result = await lane.run(call.model, rows, callLimitMs);
      if (result.kind !== 'ran' || signal.aborted) return null;
      workMs += call.ms;
    }
    // By its own clock: the last call of each lane ends when it ends.
    return workMs / (performance.now() - startedAt);
  }

  #kill(): void {
    for (const lane of this.#lanes) lane.kill('somebody wants the cores');
  }
}

/** Units of the calls, those first that took most. */
export function unitsOf(calls: readonly SampledCall[]): string[] {
  const totals = new Map<string, number>();
  for (const { model, ms } of calls) totals.set(model, (totals.get(model) ?? 0) + ms);
  return [...totals].sort((a, b) => b[1] - a[1]).map(([unit]) => unit);
}

export function pickModels(units: readonly string[], models: readonly ModelFiles[]): ModelFiles[] {
  return models.filter((files) => units.includes(unitOf(files)));
}
