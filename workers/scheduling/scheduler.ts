/**
 * Brings waiting rows and free lanes together: asks the policy at the moment a lane is free, never earlier, and carries
 * a batch through its call. Splits a batch that the model refuses until the bad row stands alone; reruns the rows of a
 * call that died, each alone. Results go to the owner; nothing here knows Redis.
 */
import type { CallResult, Lane } from '../lane/lane.ts';
import type { LanePool } from '../lane/lane-pool.ts';
import type { LaneOutcome } from '../lane/lane-protocol.ts';
import type { QueuedRow } from '../running/running-job.ts';
import type { CostModel, LaneView, SchedulingPolicy } from './policy.ts';

export interface CallReport {
  readonly model: string;
  readonly rows: readonly QueuedRow[];
  readonly computeMs: number;
  readonly postprocessMs: number;
  readonly wallMs: number;
  readonly predictedMs: number;
}

export interface SchedulerEvents {
  /** Before a batch goes to a lane: the last word on who is on board. */
  onCall(lane: Lane, rows: readonly QueuedRow[], predictedMs: number): void;
  onRow(row: QueuedRow, outcome: LaneOutcome, report: CallReport): void;
  onReport(report: CallReport): void;
  /** The lane died under these rows. The owner decides which come back, by `add`. */
  onDeath(lane: Lane, rows: readonly QueuedRow[]): void;
  /** However the call ended, and before anybody is told what came of it. */
  onCallEnd(lane: Lane, result: CallResult): void;
}

/** A call may take this many times its prediction, 30 s at least and ten minutes at most, before its lane is taken for hung. */
const hangFactor = 50;
const hangMsMin = 30_000;
const hangMsMax = 600_000;

export class Scheduler {
  readonly #policy: SchedulingPolicy;
  readonly #cost: CostModel;
  readonly #events: SchedulerEvents;
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
  }

  attach(pool: LanePool): void {
    this.#pool = pool;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  add(rows: readonly QueuedRow[]): void {
    this.#waiting.push(...rows);
    this.#planDispatch();
  }

  /** A lane is free: the one place where batches are formed. */
  dispatch(lane: Lane): void {
    this.#waiting = this.#waiting.filter(isWanted);
    const runnable = this.#waiting.filter((row) => lane.models.has(row.model));
    if (runnable.length === 0) return;
    const nowMs = performance.now();
    const { rows, wakeMs } = this.#policy.choose({ nowMs, waiting: runnable, lanes: this.#laneViews() });
    if (rows.length === 0) {
      if (wakeMs !== undefined) this.#wakeIn(wakeMs - nowMs);
      return;
    }
    const taken = new Set(rows);
    this.#waiting = this.#waiting.filter((row) => !taken.has(row));
    void this.#carry(lane, rows).finally(() => this.#planDispatch());
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
    this.#events.onCall(lane, rows, predictedMs);
    const laneRows = rows.map(({ row, item }) => ({ row, alone: item.parts.length === 1 }));
    const limitMs = Math.min(hangMsMax, Math.max(hangMsMin, hangFactor * predictedMs));
    const startedMs = performance.now();
    this.#ends.set(lane, startedMs + predictedMs);
    const result = await lane.run(first.model, laneRows, limitMs);
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
    this.#cost.observe(first.model, rows.length, length, result.wallMs);
    this.#policy.ended?.({ rows, startedMs, endedMs: performance.now() });
    const { outcomes, kind: _kind, ...times } = result;
    const report = { model: first.model, rows, ...times, predictedMs };
    this.#events.onReport(report);
    for (const [i, row] of rows.entries()) this.#events.onRow(row, outcomes[i] as LaneOutcome, report);
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
      const times = { computeMs: 0, postprocessMs: 0, wallMs: 0, predictedMs: 0 };
      this.#events.onRow(row, { problem }, { model: row.model, rows, ...times });
      return;
    }
    const middle = Math.ceil(rows.length / 2);
    for (const slice of [rows.slice(0, middle), rows.slice(middle)]) {
      const half = slice.filter(isWanted);
      if (lane.idle) await this.#carry(lane, half);
      else this.add(half);
    }
  }
}

/** False when its job ended, or its item got a result from another row. */
function isWanted({ item }: QueuedRow): boolean {
  return !item.job.isOver && !item.settled;
}
