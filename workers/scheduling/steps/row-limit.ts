/**
 * How many rows of a model are written at once: as many as write the most tokens a second, found by trying. A step reads the
 * weights once for all rows, and for each row its cache and what its encoder gave; where those no longer fit beside each
 * other, more rows write less: `starter-diagram` on one core 5,700 tokens/s in 16 rows, 6,700 in 8, 9,000 in the 4 it finds (B6).
 *
 * Only while so many rows wait that the limit is what holds them back: what is in force and a neighbour run by turns, twice,
 * and the neighbour must win both times. Halves first, then what lies between. Pure; takes `now`.
 */

/** What a call of steps did: lines of all its steps, and the time of those alone. */
export interface StepTimes {
  readonly steps: number;
  readonly lines: number;
  readonly stepMs: number;
}

/** Time of steps that gives one rate: twenty calls or so. */
const turnMs = 500;
const turns = 4;
/** A neighbour that wins by less is not worth a change: rates of equal halves differ by so much on a quiet machine. */
const winsBy = 1.03;
/** What rows must be of a limit that holds them back. A row that ends leaves its place empty until the call is over. */
const heldBack = { least: 0.8, most: 1.05 };
/** A turn that rows of another limit, or too few of them, keep from filling. */
const turnMsMax = 30_000;
const restMs = { first: 300_000, most: 3_600_000 };

const levels = [48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1];
/** From one level to that of half as many rows: a diagram is mostly encoder, and a turn of its steps takes a lane 3 s. */
const halved = 2;

interface Trial {
  readonly to: number;
  readonly rates: number[];
  lines: number;
  ms: number;
  sinceMs: number;
}

export class RowLimit {
  /** Downwards from all slots, where it begins. */
  readonly #levels: readonly number[];
  #at = 0;
  #trial: Trial | null = null;
  /** Neighbours that were not tried since the last change: two levels down at first, then one down and one up. */
  #untried: readonly number[];
  #restsUntilMs = 0;
  #restMs = restMs.first;

  constructor(slots: number) {
    this.#levels = [slots, ...levels.filter((rows) => rows < slots)];
    this.#untried = this.#reachable(halved);
  }

  /** Rows that may be written at once now. */
  rowsAt(nowMs: number): number {
    const trial = this.#trial;
    if (trial && nowMs - trial.sinceMs > turnMsMax) this.#trial = null;
    return this.#levels[this.#level] as number;
  }

  note({ steps, lines, stepMs }: StepTimes, nowMs: number): void {
    if (steps === 0 || !isHeldBack(lines / steps, this.rowsAt(nowMs))) return;
    this.#trial ??= this.#begin(nowMs);
    const trial = this.#trial;
    if (!trial) return;
    trial.lines += lines;
    trial.ms += stepMs;
    if (trial.ms < turnMs) return;
    trial.rates.push(trial.lines / trial.ms);
    Object.assign(trial, { lines: 0, ms: 0, sinceMs: nowMs });
    if (trial.rates.length === turns) this.#judge(trial, nowMs);
  }

  /** What is in force and the other take turns. */
  get #level(): number {
    return this.#trial && this.#trial.rates.length % 2 === 1 ? this.#trial.to : this.#at;
  }

  /** Those of these steps that lead to a level. */
  #reachable(...steps: readonly number[]): number[] {
    return steps.filter((by) => this.#levels[this.#at + by] !== undefined);
  }

  #begin(nowMs: number): Trial | null {
    if (nowMs < this.#restsUntilMs) return null;
    if (this.#untried.length === 0) this.#untried = this.#reachable(1, -1);
    const [by] = this.#untried;
    return by === undefined ? null : { to: this.#at + by, rates: [], lines: 0, ms: 0, sinceMs: nowMs };
  }

  #judge({ to, rates }: Trial, nowMs: number): void {
    const by = to - this.#at;
    this.#trial = null;
    const [mine = 0, other = 0, mineAgain = 0, otherAgain = 0] = rates;
    if (other > winsBy * mine && otherAgain > winsBy * mineAgain) {
      // On in that direction; where it came from has just lost.
      this.#at = to;
      this.#untried = this.#reachable(by);
      this.#restMs = restMs.first;
    } else this.#untried = this.#untried.filter((each) => each !== by);
    if (by === halved && this.#untried.length === 0) this.#untried = this.#reachable(1, -1);
    if (this.#untried.length > 0) return;
    this.#restsUntilMs = nowMs + this.#restMs;
    this.#restMs = Math.min(2 * this.#restMs, restMs.most);
  }
}

function isHeldBack(rows: number, limit: number): boolean {
  return rows >= heldBack.least * limit && rows <= heldBack.most * limit;
}
