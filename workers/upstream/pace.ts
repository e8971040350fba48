/**
 * How many calls a server gets at once, and when none. Pure: what came of calls goes in, a number comes out.
 *
 * States: open (as many as the manifest allows) -> paused (it asks for patience, does not answer, or denies) -> trying
 * (one call; each that succeeds doubles the number) -> open. Failures beside each other count once.
 */
import type { Refusal } from '../../models/chat/read-refusal.ts';

export type Trouble = Exclude<Refusal['kind'], 'item'>;

/** One connection that breaks is nothing; three failures with no success between them are a server that is down. */
const failuresInARow = 3;
const pauseMsFirst = 1000;
/** A server that comes back is noticed within a minute, and what a key or a name lacks an operator mends. */
const pauseMsMax: Readonly<Record<Trouble, number>> = { busy: 60_000, away: 60_000, faulty: 60_000, denied: 300_000 };
const deniedMsFirst = 5000;
/** A `Retry-After` of hours would be a job's whole time; it is asked again then, and may say so again. */
const retryAfterMsMax = 300_000;
/** A quarter either way: workers that failed together do not come back together. */
const jitter = 0.25;

export interface FailureDetail {
  readonly retryAfterSeconds?: number | null;
  readonly isCheck?: boolean;
}

export class Pace {
  readonly #callsMax: number;
  readonly #random: () => number;
  #width: number;
  #untilMs = 0;
  #failures = 0;
  #pauses = 0;

  constructor(callsMax: number, random: () => number = Math.random) {
    this.#callsMax = callsMax;
    this.#random = random;
    this.#width = callsMax;
  }

  /** When calls may begin again; in the past while they may. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** Whether so much failed in a row that it is worth telling operators. */
  get isTroubled(): boolean {
    return this.#failures >= failuresInARow;
  }

  /** Calls that may be under way now. */
  callsAt(nowMs: number): number {
    return nowMs < this.#untilMs ? 0 : this.#width;
  }

  /** A pause that the server asked for goes on: the call began before it. */
  succeeded(): void {
    this.#width = Math.min(this.#callsMax, 2 * this.#width);
    this.#failures = 0;
    this.#pauses = 0;
  }

  /** Somebody says that the cause is gone. */
  tryNow(): void {
    this.#untilMs = 0;
  }

  /** `isCheck`: nobody's item was asked, so there is nothing to be patient for. */
  failed(kind: Trouble, nowMs: number, { retryAfterSeconds = null, isCheck = false }: FailureDetail = {}): void {
    const isPaused = nowMs < this.#untilMs;
    if (!isPaused) this.#failures = kind === 'denied' || isCheck ? failuresInARow : this.#failures + 1;
    const mustPause = isPaused || kind === 'busy' || this.isTroubled;
    if (!mustPause) return;
    if (!isPaused) this.#pause(kind, nowMs);
    const askedMs = Math.min(retryAfterMsMax, (retryAfterSeconds ?? 0) * 1000);
    this.#untilMs = Math.max(this.#untilMs, nowMs + askedMs * (1 + jitter * this.#random()));
  }

  #pause(kind: Trouble, nowMs: number): void {
    const first = kind === 'denied' ? deniedMsFirst : pauseMsFirst;
    const plannedMs = Math.min(pauseMsMax[kind], first * 2 ** this.#pauses);
    this.#pauses++;
    this.#width = 1;
    this.#untilMs = nowMs + plannedMs * (1 - jitter + 2 * jitter * this.#random());
  }
}
