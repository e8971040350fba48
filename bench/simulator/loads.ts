/**
 * What comes in: open traces (Poisson, bursts, a day in a minute) that nobody's slowness delays, and closed loops of
 * clients who send the next row when they have the last one's result. A bulk run is a closed loop of 1,024 clients.
 */
import type { JobClass } from '../../shared/jobs/job.ts';
import type { Lengths } from './lengths.ts';
import type { Random } from './random.ts';

export interface Arrival {
  readonly atMs: number;
  readonly model: string;
  readonly class: JobClass;
  readonly length: number;
  /** Who sent it gives up after this; never when absent. */
  readonly withinMs?: number;
}

export interface Load {
  /** In order of time. */
  readonly arrivals: readonly Arrival[];
  /** What follows when a row of this load has its result. */
  readonly next?: (nowMs: number) => Arrival;
}

export interface RowKind {
  readonly model: string;
  readonly class: JobClass;
  /** May change over time. */
  readonly lengths: (atMs: number) => Lengths;
  readonly withinMs?: number;
}

export function rowKind(lengths: Lengths, jobClass: JobClass = 'normal', model = 'm'): RowKind {
  return { model, class: jobClass, lengths: () => lengths };
}

/** `perSecond` may change over time; the trace is thinned from the highest rate. */
function openLoad(
  kind: RowKind,
  random: Random,
  untilMs: number,
  perSecond: (atMs: number) => number,
  perSecondMax: number,
): Load {
  const arrivals: Arrival[] = [];
  for (let atMs = random.exponential(1000 / perSecondMax); atMs < untilMs; ) {
    if (random.next() * perSecondMax < perSecond(atMs)) arrivals.push(arrive(kind, random, atMs));
    atMs += random.exponential(1000 / perSecondMax);
  }
  return { arrivals };
}

export function poisson(kind: RowKind, random: Random, untilMs: number, perSecond: number): Load {
  return openLoad(kind, random, untilMs, () => perSecond, perSecond);
}

/** One second in five has three times the mean rate, the others half of it. */
export function bursty(kind: RowKind, random: Random, untilMs: number, perSecond: number): Load {
  const rate = (atMs: number) => perSecond * (Math.floor(atMs / 1000) % 5 === 0 ? 3 : 0.5);
  return openLoad(kind, random, untilMs, rate, 3 * perSecond);
}

/** A day in a minute: from a tenth of the mean to twice of it and back. */
export function diurnal(kind: RowKind, random: Random, untilMs: number, perSecond: number): Load {
  const rate = (atMs: number) => perSecond * (1 + 0.9 * Math.sin((2 * Math.PI * atMs) / 60_000));
  return openLoad(kind, random, untilMs, rate, 2 * perSecond);
}

/** Each of `clients` sends at once, and again `thinkMs` after its result. */
export function closedLoop(kind: RowKind, random: Random, clients: number, thinkMs = 0): Load {
  return {
    arrivals: Array.from({ length: clients }, (_, i) => arrive(kind, random, i * 0.01)),
    next: (nowMs) => arrive(kind, random, nowMs + thinkMs),
  };
}

/** Always more bulk rows than a policy looks at. */
export function bulkRun(lengths: Lengths, random: Random, model = 'm', rows = 1024): Load {
  return closedLoop(rowKind(lengths, 'bulk', model), random, rows);
}

function arrive({ model, class: jobClass, lengths, withinMs }: RowKind, random: Random, atMs: number): Arrival {
  return { atMs, model, class: jobClass, length: lengths(atMs)(random), ...(withinMs !== undefined && { withinMs }) };
}
