/**
 * Brings waiting rows and free lanes together: asks the policy at the moment a lane is free, never earlier, and carries
 * a batch through its call. Splits a batch that the model refuses until the bad row stands alone; reruns the rows of a
 * call that died, each alone. Models that write token by token are `steps/`. Results go to the owner; nothing here knows
 * Redis.
 */
import { freeLarge } from '../../models/free-memory.ts';
import type { CallResult, Lane } from '../lane/lane.ts';
import type { LanePool } from '../lane/lane-pool.ts';
import type { LaneOutcome } from '../lane/lane-protocol.ts';
import type { QueuedRow } from '../running/running-job.ts';
import type { CostModel, EndedCall, LaneView, SchedulingPolicy } from './policy.ts';
import type { LiveRow } from './steps/live-rows.ts';
import { StepCalls, type StepCandidate, type StepEvents } from './steps/step-calls.ts';

export interface CallReport {
  readonly model: string;
  readonly rows: readonly QueuedRow[];
  readonly computeMs: number;
  readonly postprocessMs: number;
  readonly cpuMs?: number;
  readonly wallMs: number;
  readonly predictedMs: number;
}

/** What a row's result took. */
export interface RowCost {
  readonly computeMs: number;
  /** Lane time: its share of each call that it was in. */
  readonly laneMs: number;
  /** Rows that it ran with, itself included; the most of all its calls. */
  readonly rows: number;
}

export interface SchedulerEvents extends Omit<StepEvents, 'onWritten'> {
  /** A batch went to a lane, which wakes now: the last word on who is on board. */
  onCall(lane: Lane, rows: readonly QueuedRow[], predictedMs: number): void;
  onRow(row: QueuedRow, outcome: LaneOutcome, cost: RowCost): void;
  /** Of a row that was written token by token, before `onRow`. */
  onWritten(lane: Lane, live: LiveRow): void;
  /** The rows are whole for the last time: their large tensors are given back behind it. */
  onReport(report: CallReport): void;
  /** However the call ended, and before anybody is told what came of it. */
  onCallEnd(lane: Lane, result: CallResult): void;
}

/** A call may take this many times its prediction, 30 s at least and ten minutes at most, before its lane is taken for hung. */
const hangFactor = 50;
const hangMsMin = 30_000;
const hangMsMax = 600_000;
/** A call of steps may end at any time; it does after this when the policy has no other wish. */
const stepCallMs = 100;

export class Scheduler {
  readonly #policy: SchedulingPolicy;
  readonly #cost: CostModel;
  readonly #events: SchedulerEvents;
  readonly #steps: StepCalls;
  /** By arrival. Bounded by the claim budgets. */
  #waiting: QueuedRow[] = [];
  #pool: LanePool | null = null;
  #dispatchPlanned = false;
  /** When the call on each busy lane should end. */
  readonly #ends = new Map<Lane, number>();
  #wake: NodeJS.Timeout | undefined;

  constructor(policy: SchedulingPolicy, cost: CostModel, events: SchedulerEvents) {
    this.#policy = policy;
    this.#cost = cost;
    this.#events = events;
    const queue = { add: (rows: readonly QueuedRow[]) => this.add(rows), isWanted };
    this.#steps = new StepCalls(queue, {
      ...events,
      onWritten: (lane, live, outcome) => {
        events.onWritten(lane, live);
        events.onRow(live.row, outcome, { computeMs: live.computeMs, laneMs: live.laneMs, rows: live.rowsMax });
      },
    });
  }

  attach(pool: LanePool): void {
    this.#pool = pool;
    this.#steps.attach(pool);
  }

  /** Rows that are being written token by token, by unit. */
  get live(): ReadonlyMap<string, number> {
    return this.#steps.liveRows;
  }

  /**
   * No lane has the unit any more. What its calls cost is kept, in case it comes back: the newest models of all
   * (`warm-start/model-memory.ts`).
   */
  forget(unit: string): void {
    this.#policy.forget?.(unit);
    this.#steps.forget(unit);
  }

  /** The lane is gone; a call that was under way on it has ended. */
  laneEnded(lane: Lane): void {
    this.#steps.laneEnded(lane);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Units of rows that wait, with the arrival of the first. */
  waits(): Map<string, number> {
    const waits = new Map<string, number>();
    for (const { model, arrivedMs } of this.#waiting) if (!waits.has(model)) waits.set(model, arrivedMs);
    return waits;
  }

  /** Rows of this unit are being written on this lane. */
  isHeld(lane: Lane, unit: string): boolean {
    return this.#steps.isHeld(lane, unit);
  }

  add(rows: readonly QueuedRow[]): void {
    this.#waiting.push(...rows);
    this.#planDispatch();
  }

  /** A lane is free: the one place where batches are formed. */
  dispatch(lane: Lane): void {
    this.#waiting = this.#waiting.filter(isWanted);
    const runnable: (QueuedRow | StepCandidate)[] = this.#waiting.filter(
      (row) => lane.models.get(row.model)?.writes === null,
    );
    const candidates = this.#steps.candidates(lane, this.#waiting);
    const waiting = candidates.length === 0 ? runnable : byArrival([...runnable, ...candidates]);
    if (waiting.length === 0) return;
    const nowMs = performance.now();
    const { rows, wakeMs } = this.#policy.choose({ nowMs, waiting, lanes: this.#laneViews() });
    const [first] = rows;
    if (!first) {
      if (wakeMs !== undefined) this.#wakeIn(wakeMs - nowMs);
    } else if ('steps' in first) {
      this.#take(first.steps.plan.admit);
      void this.#carrySteps(lane, first).finally(() => this.#planDispatch());
    } else {
      this.#take(rows as QueuedRow[]);
      void this.#carry(lane, rows as QueuedRow[]).finally(() => this.#planDispatch());
    }
  }

  #take(rows: readonly QueuedRow[]): void {
    const taken = new Set(rows);
    this.#waiting = this.#waiting.filter((row) => !taken.has(row));
  }

  async #carrySteps(lane: Lane, candidate: StepCandidate): Promise<void> {
    const startedMs = performance.now();
    const budgetMs = this.#policy.callMsMax?.(candidate.class, startedMs) ?? stepCallMs;
    this.#ends.set(lane, startedMs + budgetMs);
    const result = await this.#steps.carry(lane, candidate, budgetMs);
    this.#ends.delete(lane);
    if (result.kind !== 'stepped') return;
    this.#cost.observe(candidate.model, 1, 1, result.wallMs);
    this.#policy.ended?.({ rows: [candidate], startedMs, endedMs: performance.now() });
  }

  #laneViews(): LaneView[] {
    const lanes = this.#pool?.lanes ?? [];
    return lanes.map((lane) => ({ endsMs: this.#ends.get(lane) ?? null }));
  }

  #wakeIn(ms: number): void {
    clearTimeout(this.#wake);
    this.#wake = setTimeout(() => this.#planDispatch(), Math.max(1, ms)).unref();
  }

  /** A turn later, so that rows and replies that came in together are seen together: fewer, larger calls. */
  #planDispatch(): void {
    if (this.#dispatchPlanned) return;
    this.#dispatchPlanned = true;
    setImmediate(() => {
      this.#dispatchPlanned = false;
      for (const lane of this.#pool?.lanes ?? []) this.#pool?.offer(lane);
    });
  }

  async #carry(lane: Lane, rows: readonly QueuedRow[]): Promise<void> {
    const [first] = rows;
    if (!first) return;
    const length = Math.max(...rows.map((row) => row.length));
    const predictedMs = this.#cost.predictMs(first.model, rows.length, length);
    const laneRows = rows.map(({ row, item }) => ({ row, alone: item.parts.length === 1 }));
    const limitMs = Math.min(hangMsMax, Math.max(hangMsMin, hangFactor * predictedMs));
    const startedMs = performance.now();
    this.#ends.set(lane, startedMs + predictedMs);
    const running = lane.run(first.model, laneRows, limitMs);
    this.#events.onCall(lane, rows, predictedMs);
    const result = await running;
    this.#ends.delete(lane);
    this.#events.onCallEnd(lane, result);
    if (result.kind !== 'ran') for (const row of rows) row.waitsSinceMs = performance.now();
    if (result.kind === 'died') {
      this.#pool?.countCrash(first.model);
      this.#events.onDeath(lane, rows);
      return;
    }
    if (result.kind === 'failed') {
      if (result.outOfMemory) this.#policy.overflowed?.(rows, performance.now());
      await this.#bisect(lane, rows, result.reason);
      return;
    }
    this.#pool?.countSuccess(first.model);
    const { outcomes, kind: _kind, ...times } = result;
    const report = { model: first.model, rows, ...times, predictedMs };
    const call = { rows, startedMs, endedMs: performance.now() };
    const cost = { computeMs: times.computeMs, laneMs: times.wallMs / rows.length, rows: rows.length };
    for (const [i, row] of rows.entries()) this.#events.onRow(row, outcomes[i] as LaneOutcome, cost);
    // Results are written a turn later: behind that, since somebody waits for them and nobody for what is learned here.
    setImmediate(() => this.#learn(report, call));
  }

  #learn(report: CallReport, call: EndedCall<QueuedRow>): void {
    const { model, rows, wallMs, cpuMs } = report;
    this.#cost.observe(model, rows.length, Math.max(...rows.map(({ length }) => length)), wallMs, cpuMs);
    this.#policy.ended?.(call);
    this.#events.onReport(report);
    for (const { row } of rows) freeLarge(row.tensors);
  }

  /** The model threw: halves again, until the rows that it refuses stand alone. log2(n) extra calls for one bad row. */
  async #bisect(lane: Lane, rows: readonly QueuedRow[], reason: string): Promise<void> {
    if (rows.length === 1) {
      const row = rows[0] as QueuedRow;
      const problem = {
        type: '/problems/inference-failed',
        title: 'Inference failed',
        status: 422,
        detail: `The model refused this item: ${reason.slice(0, 200)}`,
      };
      this.#events.onRow(row, { problem }, { computeMs: 0, laneMs: 0, rows: 1 });
      return;
    }
    const middle = Math.ceil(rows.length / 2);
    for (const slice of [rows.slice(0, middle), rows.slice(middle)]) {
      const half = slice.filter(isWanted);
      // A model that was set aside meanwhile left this lane: a call would end as a refusal of rows that it never saw.
      const isReady = lane.idle && half.every(({ model }) => lane.models.has(model));
      if (isReady) await this.#carry(lane, half);
      else this.add(half);
    }
  }
}

function byArrival<R extends { readonly arrivedMs: number }>(rows: R[]): R[] {
  return rows.sort((a, b) => a.arrivedMs - b.arrivedMs);
}

/** False when its job ended, or its item got a result from another row. */
function isWanted({ item }: QueuedRow): boolean {
  return !item.job.isOver && !item.settled;
}
