/**
 * The policy: which rows run next on a lane that is free now. Late-binding and cost-based, with no knob. Takes a class
 * (strict priorities with a small share for those below), its most urgent row, splits that row's neighbours into the
 * cheapest calls, and runs the call that holds it, within limits of time and memory. Where batching loses on this device,
 * calls of one row come out. Each decision has a file of its own; here is their order.
 */
import type { JobClass } from '../../shared/jobs/job.ts';
import { CallLimit } from './call-limit.ts';
import { cheapestPart } from './cheapest-part.ts';
import { Convoys } from './convoys.ts';
import { Growth } from './growth.ts';
import { LaneShares } from './lane-shares.ts';
import { MemoryCaps } from './memory-caps.ts';
import type { Choice, CostModel, EndedCall, PolicyView, SchedulingPolicy, WaitingRow } from './policy.ts';
import { allowedMs } from './service-levels.ts';
import { Urgency } from './urgency.ts';
import { Windows } from './windows.ts';

/** The decisions, each replaceable: the ablation bench puts nothing in the place of one after the other. */
export interface PolicyParts {
  readonly urgency: Pick<Urgency, 'inTime' | 'mostUrgent'>;
  readonly shares: Pick<LaneShares, 'pick' | 'charge'>;
  readonly limit: Pick<CallLimit, 'limitMs' | 'expectedMsMax' | 'observe' | 'sawHigh'>;
  readonly memory: Pick<MemoryCaps, 'unitsMax' | 'overflowed' | 'ran' | 'forget'>;
  readonly growth: Pick<Growth, 'unitsMax' | 'ran' | 'forget'>;
  readonly windows: Pick<Windows, 'rowsMax' | 'observe' | 'forget'>;
  readonly convoys: Pick<Convoys, 'blockedUntilMs' | 'mustWait' | 'sawHigh'>;
}

export class AdaptivePolicy implements SchedulingPolicy {
  readonly #cost: CostModel;
  readonly #urgency: PolicyParts['urgency'];
  readonly #shares: PolicyParts['shares'];
  readonly #limit: PolicyParts['limit'];
  readonly #memory: PolicyParts['memory'];
  readonly #growth: PolicyParts['growth'];
  readonly #windows: PolicyParts['windows'];
  readonly #convoys: PolicyParts['convoys'];

  constructor(cost: CostModel, parts: Partial<PolicyParts> = {}) {
    this.#cost = cost;
    this.#urgency = parts.urgency ?? new Urgency(cost);
    this.#shares = parts.shares ?? new LaneShares();
    this.#limit = parts.limit ?? new CallLimit();
    this.#memory = parts.memory ?? new MemoryCaps();
    this.#growth = parts.growth ?? new Growth();
    this.#windows = parts.windows ?? new Windows();
    this.#convoys = parts.convoys ?? new Convoys();
  }

  choose<R extends WaitingRow>({ nowMs, waiting, lanes }: PolicyView<R>): Choice<R> {
    const blockedUntilMs = this.#convoys.blockedUntilMs(lanes, nowMs);
    const mayBegin = (row: R) => !this.#convoys.mustWait(row, this.#loneMs(row));
    const classes = groupByClass(blockedUntilMs === null ? waiting : waiting.filter(mayBegin));
    if (classes.size === 0) return { rows: [], ...(blockedUntilMs !== null && { wakeMs: blockedUntilMs }) };
    if (classes.has('high')) {
      this.#limit.sawHigh(nowMs);
      this.#convoys.sawHigh(nowMs);
    }
    const waits = new Set(classes.keys());
    const served = this.#shares.pick(waits, (name) => this.#loneMs((classes.get(name) as R[])[0] as R));
    const candidates = this.#urgency.inTime(classes.get(served) as R[], nowMs);
    const anchor = this.#urgency.mostUrgent(candidates);
    const rows = anchor.suspect ? [anchor] : this.#call(candidates, anchor, lanes.length, nowMs);
    this.#shares.charge(served, this.#callMs(rows), waits);
    return { rows };
  }

  callMsMax(jobClass: JobClass, nowMs: number): number {
    return this.#limit.limitMs(jobClass, nowMs);
  }

  ended({ rows, endedMs }: EndedCall<WaitingRow>): void {
    const model = (rows[0] as WaitingRow).model;
    const units = rows.length * longest(rows);
    this.#memory.ran(model, units, endedMs);
    this.#growth.ran(model, units);
    for (const row of rows)
      if (row.class === 'high')
        this.#limit.observe((endedMs - row.arrivedMs) / allowedMs(row, this.#loneMs(row)), endedMs);
  }

  overflowed(rows: readonly WaitingRow[], nowMs: number): void {
    this.#memory.overflowed((rows[0] as WaitingRow).model, rows.length * longest(rows), nowMs);
  }

  forget(model: string): void {
    this.#memory.forget(model);
    this.#growth.forget(model);
    this.#windows.forget(model);
  }

  /** The anchor's call: every lane is left its share, since one call with all rows would let the other lanes idle. */
  #call<R extends WaitingRow>(candidates: readonly R[], anchor: R, lanes: number, nowMs: number): R[] {
    const rowsThere = candidates.filter((row) => mayJoin(row, anchor));
    const window = firstRows(rowsThere, anchor, this.#windows.rowsMax(anchor.model));
    const part = cheapestPart(window, anchor, {
      rowsMax: Math.ceil(rowsThere.length / lanes),
      costMs: (rows, length) => this.#cost.predictMs(anchor.model, rows, length),
      msMax: this.#limit.expectedMsMax(anchor.class, this.#loneMs(anchor), this.#cost.p99Factor(anchor.model), nowMs),
      unitsMax: Math.min(this.#memory.unitsMax(anchor.model), this.#growth.unitsMax(anchor.model)),
    });
    this.#windows.observe(anchor.model, part.length, this.#callMs(part));
    return part;
  }

  #loneMs(row: WaitingRow): number {
    return this.#cost.predictMs(row.model, 1, row.length);
  }

  #callMs(rows: readonly WaitingRow[]): number {
    return this.#cost.predictMs((rows[0] as WaitingRow).model, rows.length, longest(rows));
  }
}

function groupByClass<R extends WaitingRow>(waiting: readonly R[]): Map<JobClass, R[]> {
  const groups = new Map<JobClass, R[]>();
  for (const row of waiting) {
    const group = groups.get(row.class);
    if (group) group.push(row);
    else groups.set(row.class, [row]);
  }
  return groups;
}

/** Rows of one call: of one model and shape, and none that a call died with. */
function mayJoin(row: WaitingRow, anchor: WaitingRow): boolean {
  return row.model === anchor.model && row.shapeKey === anchor.shapeKey && !row.suspect;
}

/** In order of arrival; the anchor may stand behind them. */
function firstRows<R extends WaitingRow>(rows: readonly R[], anchor: R, rowsMax: number): R[] {
  const window = rows.slice(0, rowsMax);
  if (!window.includes(anchor)) window[window.length - 1] = anchor;
  return window;
}

function longest(rows: readonly WaitingRow[]): number {
  let length = 0;
  for (const row of rows) length = Math.max(length, row.length);
  return length;
}
