/**
 * A worker in virtual time: rows arrive, lanes run calls, a policy chooses. What a call takes comes from a latency table
 * with noise, the rest is as in `workers/scheduling/scheduler.ts`: a policy is asked when a lane is free, its cost model
 * learns from every call, a call that does not fit into memory is halved. Deterministic; thousands of times faster than life.
 */
import type { CostModel, SchedulingPolicy, WaitingRow } from '../../workers/scheduling/policy.ts';
import { EventQueue } from './event-queue.ts';
import type { CallMs } from './latency-table.ts';
import type { Arrival, Load } from './loads.ts';
import type { Random } from './random.ts';

/** From dispatch to a lane's work and back: messages between processes. */
export const overheadMs = 0.3;
/** Calls differ by 8 % on a quiet machine; one in 200 takes three times as long (page faults, a busy neighbour). */
const quietNoise = 0.08;
const spikeShare = 0.005;
const spikeFactor = 3;

export interface SimulatedDevice {
  readonly lanes: number;
  readonly callMs: Readonly<Record<string, CallMs>>;
  /** How much slower than its table the device is at a time: a stolen core. 1 when absent. */
  readonly slowness?: (nowMs: number) => number;
  /** Deviation of the logarithm of what a call takes. */
  readonly noise?: number;
  /** Padded units above which a call fails for lack of memory. */
  readonly unitsMax?: number;
}

export interface SimulatedRow extends WaitingRow {
  readonly load: Load;
}

/** A row that has its result. */
export interface EndedRow {
  readonly row: SimulatedRow;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly failed: boolean;
}

export interface Simulation {
  readonly device: SimulatedDevice;
  readonly policy: SchedulingPolicy;
  readonly cost: CostModel;
  readonly loads: readonly Load[];
  readonly random: Random;
  readonly untilMs: number;
}

export interface SimulationResult {
  readonly ended: readonly EndedRow[];
  readonly calls: number;
  readonly busyMs: number;
  /** Rows that still waited at the end. */
  readonly left: number;
}

type Event =
  | { readonly kind: 'arrival'; readonly row: SimulatedRow }
  | { readonly kind: 'end'; readonly lane: number; readonly rows: readonly SimulatedRow[]; readonly startedMs: number }
  | { readonly kind: 'wake' };

export function simulate(simulation: Simulation): SimulationResult {
  return new Run(simulation).run();
}

class Run {
  readonly #given: Simulation;
  readonly #events = new EventQueue<Event>();
  readonly #lanes: { endsMs: number | null }[];
  #waiting: SimulatedRow[] = [];
  readonly #ended: EndedRow[] = [];
  #calls = 0;
  #busyMs = 0;
  #wakeMs = Number.POSITIVE_INFINITY;

  constructor(given: Simulation) {
    this.#given = given;
    this.#lanes = Array.from({ length: given.device.lanes }, () => ({ endsMs: null }));
    for (const load of given.loads) for (const arrival of load.arrivals) this.#schedule(load, arrival);
  }

  run(): SimulationResult {
    for (let next = this.#events.pop(); next && next.atMs < this.#given.untilMs; next = this.#events.pop()) {
      this.#handle(next.event, next.atMs);
      // What happens at one moment is seen together, as in a turn of the worker's loop.
      if (this.#events.nextMs > next.atMs) this.#dispatch(next.atMs);
    }
    return { ended: this.#ended, calls: this.#calls, busyMs: this.#busyMs, left: this.#waiting.length };
  }

  #schedule(load: Load, { atMs, withinMs = Number.POSITIVE_INFINITY, ...arrival }: Arrival): void {
    const row = {
      ...arrival,
      load,
      shapeKey: 'x',
      arrivedMs: atMs,
      deadlineMs: atMs + withinMs,
      suspect: false,
    };
    this.#events.push(atMs, { kind: 'arrival', row });
  }

  #handle(event: Event, nowMs: number): void {
    if (event.kind === 'arrival') this.#waiting.push(event.row);
    else if (event.kind === 'end') this.#end(event, nowMs);
    else this.#wakeMs = Number.POSITIVE_INFINITY;
  }

  #dispatch(nowMs: number): void {
    for (const [index, lane] of this.#lanes.entries()) {
      if (lane.endsMs !== null || this.#waiting.length === 0) continue;
      const view = { nowMs, waiting: this.#waiting, lanes: this.#lanes };
      const { rows, wakeMs } = this.#given.policy.choose(view);
      if (rows.length > 0) {
        const taken = new Set(rows);
        this.#waiting = this.#waiting.filter((row) => !taken.has(row));
        this.#start(index, rows, nowMs);
      } else if (wakeMs !== undefined && wakeMs < this.#wakeMs) {
        this.#wakeMs = Math.max(wakeMs, nowMs + 0.01);
        this.#events.push(this.#wakeMs, { kind: 'wake' });
      }
    }
  }

  #start(lane: number, rows: readonly SimulatedRow[], nowMs: number): void {
    const { device, random, cost } = this.#given;
    const [model, length] = [(rows[0] as SimulatedRow).model, longest(rows)];
    const spike = random.next() < spikeShare ? spikeFactor : 1;
    const slowness = device.slowness?.(nowMs) ?? 1;
    const base = (device.callMs[model] as CallMs)(rows.length, length);
    const ms = overheadMs + base * Math.exp((device.noise ?? quietNoise) * random.normal()) * spike * slowness;
    (this.#lanes[lane] as { endsMs: number | null }).endsMs = nowMs + cost.predictMs(model, rows.length, length);
    this.#calls++;
    this.#busyMs += ms;
    this.#events.push(nowMs + ms, { kind: 'end', lane, rows, startedMs: nowMs });
  }

  #end({ lane, rows, startedMs }: Extract<Event, { kind: 'end' }>, nowMs: number): void {
    const { device, policy, cost } = this.#given;
    (this.#lanes[lane] as { endsMs: number | null }).endsMs = null;
    const length = longest(rows);
    if (rows.length * length > (device.unitsMax ?? Number.POSITIVE_INFINITY)) {
      policy.overflowed?.(rows, nowMs);
      this.#halve(lane, rows, startedMs, nowMs);
      return;
    }
    cost.observe((rows[0] as SimulatedRow).model, rows.length, length, nowMs - startedMs);
    policy.ended?.({ rows, startedMs, endedMs: nowMs });
    for (const row of rows) this.#finish(row, startedMs, nowMs, false);
  }

  /** As the scheduler does: one half now on this lane, the other back to those that wait. A row alone fails. */
  #halve(lane: number, rows: readonly SimulatedRow[], startedMs: number, nowMs: number): void {
    if (rows.length === 1) {
      this.#finish(rows[0] as SimulatedRow, startedMs, nowMs, true);
      return;
    }
    const middle = Math.ceil(rows.length / 2);
    this.#start(lane, rows.slice(0, middle), nowMs);
    this.#waiting.push(...rows.slice(middle));
  }

  #finish(row: SimulatedRow, startedMs: number, endedMs: number, failed: boolean): void {
    this.#ended.push({ row, startedMs, endedMs, failed });
    if (row.load.next) this.#schedule(row.load, row.load.next(endedMs));
  }
}

function longest(rows: readonly WaitingRow[]): number {
  let length = 0;
  for (const row of rows) length = Math.max(length, row.length);
  return length;
}
