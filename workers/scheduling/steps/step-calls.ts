/**
 * Models that write token by token, as the scheduler sees them. On each free lane such a model is one candidate among
 * the waiting rows, whatever rows it has there: when the policy picks it, rows come and go and a call of steps runs, short
 * enough for the policy to decide anew. Which rows come and go is `admission.ts`.
 */
import { freeLarge } from '../../../models/free-memory.ts';
import type { JobClass } from '../../../shared/jobs/job.ts';
import type { Lane, LostCall, SteppedCall, StepResult } from '../../lane/lane.ts';
import type { LanePool } from '../../lane/lane-pool.ts';
import type { LaneOutcome, Writes } from '../../lane/lane-protocol.ts';
import type { QueuedRow } from '../../running/running-job.ts';
import type { WaitingRow } from '../policy.ts';
import { type Admissions, planAdmission, rankOf } from './admission.ts';
import { type LiveRow, LiveRows } from './live-rows.ts';
import { RowLimit } from './row-limit.ts';

/** A call of steps that could run on a free lane. To the policy it is one row, which joins no other. */
export interface StepCandidate extends WaitingRow {
  readonly steps: { readonly model: string; readonly live: LiveRows; readonly plan: Admissions<QueuedRow> };
}

export interface StepReport {
  readonly rows: readonly QueuedRow[];
  readonly call: SteppedCall;
}

export interface StepEvents {
  /** Before a call: who is on board, and who of them is new. */
  onSteps(lane: Lane, rows: readonly QueuedRow[], admitted: readonly QueuedRow[], budgetMs: number): void;
  /** However the call ended, and before anybody is told what came of it. */
  onStepsEnd(lane: Lane, result: StepResult): void;
  onStepReport(report: StepReport): void;
  onWritten(lane: Lane, live: LiveRow, outcome: LaneOutcome): void;
  /** It is not written any more, and has no outcome: its place was taken, or its lane died. */
  onUnwritten(lane: Lane, live: LiveRow, reason: 'evicted' | 'lost'): void;
  /** The lane died under these rows. The owner decides which come back. */
  onDeath(lane: Lane, rows: readonly QueuedRow[]): void;
}

export interface StepQueue {
  /** Rows that wait again, for any lane. */
  add(rows: readonly QueuedRow[]): void;
  isWanted(row: QueuedRow): boolean;
}

/** After memory ran out, a model is written in half as many rows for so long. */
const cappedMs = 600_000;
/** A call that takes this long is a hang: the longest piece of work is one row's way through an encoder. */
const hangMs = 120_000;

export class StepCalls {
  readonly #queue: StepQueue;
  readonly #events: StepEvents;
  readonly #lanes = new Map<Lane, Map<string, LiveRows>>();
  /** By model, since lanes are of one device. */
  readonly #caps = new Map<string, { readonly slots: number; readonly untilMs: number }>();
  readonly #limits = new Map<string, RowLimit>();
  #pool: LanePool | null = null;
  #ids = 0;

  constructor(queue: StepQueue, events: StepEvents) {
    this.#queue = queue;
    this.#events = events;
  }

  attach(pool: LanePool): void {
    this.#pool = pool;
  }

  /** Rows that are being written, by unit. */
  get liveRows(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const models of this.#lanes.values())
      for (const [model, live] of models) counts.set(model, (counts.get(model) ?? 0) + live.size);
    return counts;
  }

  isHeld(lane: Lane, model: string): boolean {
    return (this.#lanes.get(lane)?.get(model)?.size ?? 0) > 0;
  }

  /** What could run on this lane; `waiting` has rows of all models. */
  candidates(lane: Lane, waiting: readonly QueuedRow[]): StepCandidate[] {
    this.#release(lane);
    const candidates: StepCandidate[] = [];
    for (const [model, loaded] of lane.models) {
      const { writes } = loaded;
      if (!writes) continue;
      const own = this.#pool?.isLeaving(lane, model) ? [] : waiting.filter((row) => row.model === model);
      const live = this.#lanes.get(lane)?.get(model) ?? new LiveRows(loaded);
      this.#tellUnwanted(lane, live);
      if (own.length === 0 && live.size === 0 && !live.hasDropped) continue;
      const { lanes, liveElsewhere } = this.#others(lane, model);
      const slots = this.#slotsOf(model, writes);
      const plan = planAdmission({ writes: { ...writes, slots }, live: live.rows, waiting: own, liveElsewhere, lanes });
      if (live.size > 0 || live.hasDropped || plan.admit.length > 0) candidates.push(asCandidate(model, live, plan));
    }
    return candidates;
  }

  /** Runs a candidate's call. Its plan's rows are no longer the queue's. */
  async carry(lane: Lane, { steps: { model, live, plan } }: StepCandidate, budgetMs: number): Promise<StepResult> {
    this.#board(lane, model, live);
    const evicted = new Set(plan.evict);
    const unseated = live.drop((row) => evicted.has(row));
    for (const each of unseated) this.#events.onUnwritten(lane, each, 'evicted');
    this.#requeue(unseated);
    const nowMs = performance.now();
    const admit = plan.admit.map((row) => {
      const id = ++this.#ids;
      live.add(id, row, nowMs);
      return { id, row: row.row, alone: row.item.parts.length === 1, rank: rankOf(row) };
    });
    this.#events.onSteps(lane, live.rows, plan.admit, budgetMs);
    live.isStepping = true;
    const result = await lane.step(model, { admit, evict: live.takeDropped(), budgetMs }, hangMs);
    live.isStepping = false;
    live.waitsSinceMs = performance.now();
    this.#events.onStepsEnd(lane, result);
    if (result.kind === 'stepped') this.#settle(lane, model, live, result);
    else this.#lose(lane, model, live, result);
    return result;
  }

  /** Rows that the lane had, but not under way in the call that it died of, are written elsewhere. */
  laneEnded(lane: Lane): void {
    for (const live of this.#lanes.get(lane)?.values() ?? []) if (!live.isStepping) this.#giveBack(lane, live);
    this.#lanes.delete(lane);
  }

  /** What was learned of it: no lane has the model any more. */
  forget(model: string): void {
    this.#caps.delete(model);
    this.#limits.delete(model);
  }

  #settle(lane: Lane, model: string, live: LiveRows, call: SteppedCall): void {
    this.#pool?.countSuccess(model);
    if (live.size > 0) this.#events.onStepReport({ rows: live.rows, call });
    live.charge(call.wallMs, call.computeMs);
    this.#limits.get(model)?.note(call, performance.now());
    for (const { id, outcome } of call.finished) {
      const written = live.take(id);
      if (!written) continue;
      freeLarge(written.row.row.tensors);
      this.#events.onWritten(lane, written, outcome);
    }
    const held = new Set(call.held);
    const forgotten = live.all.filter(({ id }) => !held.has(id));
    for (const { id } of forgotten) live.take(id);
    this.#requeue(forgotten);
  }

  /** All rows that were being written are lost. Of several nobody knows whose fault it was: they are written alone. */
  #lose(lane: Lane, model: string, live: LiveRows, lost: LostCall): void {
    const rows = live.all;
    this.#lanes.get(lane)?.delete(model);
    for (const each of rows) this.#events.onUnwritten(lane, each, 'lost');
    if (lost.kind === 'died') {
      this.#pool?.countCrash(model);
      const boarded = rows.map(({ row }) => row);
      if (boarded.length > 0) this.#events.onDeath(lane, boarded);
      return;
    }
    const [first] = rows;
    if (lost.outOfMemory && rows.length > 1) {
      this.#caps.set(model, { slots: Math.ceil(rows.length / 2), untilMs: performance.now() + cappedMs });
      this.#requeue(rows);
    } else if (first && rows.length === 1) this.#events.onWritten(lane, first, refusal(lost.reason));
    else this.#requeue(rows, true);
  }

  /** A cohort's rows begin together and end one by one: of it nobody learns how many are best at once. */
  #slotsOf(model: string, { slots, isLockstep }: Writes): number {
    const nowMs = performance.now();
    const limit = isLockstep ? null : (this.#limits.get(model) ?? new RowLimit(slots));
    if (limit) this.#limits.set(model, limit);
    const cap = this.#caps.get(model);
    return Math.min(limit?.rowsAt(nowMs) ?? slots, cap && cap.untilMs > nowMs ? cap.slots : slots);
  }

  #requeue(lives: readonly LiveRow[], suspect?: true): void {
    const change = { waitsSinceMs: performance.now(), ...(suspect && { suspect }) };
    const rows = lives.map(({ row }) => Object.assign(row, change)).filter(this.#queue.isWanted);
    if (rows.length > 0) this.#queue.add(rows);
  }

  /** Rows of models that this lane no longer has as it had them. */
  #release(lane: Lane): void {
    for (const [model, live] of this.#lanes.get(lane) ?? []) {
      if (lane.models.get(model) === live.loaded) continue;
      this.#lanes.get(lane)?.delete(model);
      this.#giveBack(lane, live);
    }
  }

  #giveBack(lane: Lane, live: LiveRows): void {
    const rows = live.all;
    for (const each of rows) this.#events.onUnwritten(lane, each, 'lost');
    this.#requeue(rows);
  }

  #tellUnwanted(lane: Lane, live: LiveRows): void {
    for (const each of live.drop((row) => !this.#queue.isWanted(row))) this.#events.onUnwritten(lane, each, 'evicted');
  }

  #board(lane: Lane, model: string, live: LiveRows): void {
    const models = this.#lanes.get(lane) ?? new Map<string, LiveRows>();
    models.set(model, live);
    this.#lanes.set(lane, models);
  }

  #others(lane: Lane, model: string): { lanes: number; liveElsewhere: number } {
    let liveElsewhere = 0;
    for (const [other, models] of this.#lanes) if (other !== lane) liveElsewhere += models.get(model)?.size ?? 0;
    const lanes = (this.#pool?.lanes ?? []).filter(({ models }) => models.has(model)).length;
    return { lanes: Math.max(1, lanes), liveElsewhere };
  }
}

function asCandidate(model: string, live: LiveRows, plan: Admissions<QueuedRow>): StepCandidate {
  const rows = [...live.rows, ...plan.admit];
  const arrivedMs = live.size > 0 ? live.waitsSinceMs : Math.min(...plan.admit.map((row) => row.arrivedMs));
  return {
    // What a call of steps costs has nothing to do with rows and lengths: it is learned under a name of its own.
    model: `${model} steps`,
    class: highestClass(rows),
    length: 1,
    shapeKey: 'steps',
    arrivedMs,
    deadlineMs: Math.min(Number.POSITIVE_INFINITY, ...rows.map((row) => row.deadlineMs)),
    suspect: false,
    endsWhenTold: true,
    steps: { model, live, plan },
  };
}

function highestClass(rows: readonly QueuedRow[]): JobClass {
  return rows.reduce<JobClass>((best, row) => (rankOf(row) < rankOf({ class: best }) ? row.class : best), 'bulk');
}

function refusal(reason: string): LaneOutcome {
  const detail = `The model refused this item: ${reason.slice(0, 200)}`;
  return { problem: { type: '/problems/inference-failed', title: 'Inference failed', status: 422, detail } };
}
