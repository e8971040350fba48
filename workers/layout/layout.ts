/**
 * How the cores of a device are dealt out: so many lanes of so many threads. Which is best differs by machine and model
 * (two lanes of one thread beat one of two by 5 to 38 % here, in 6 of 6 shapes), so it is measured where nobody says it. Pure.
 */
import { availableParallelism, totalmem } from 'node:os';
import type { Settings } from '../../shared/config/settings.ts';

export interface Layout {
  readonly lanes: number;
  /** Of each lane. */
  readonly threads: number;
}

/** Why the layout is what it is: an operator's setting, a measurement on this machine, or neither yet. */
export type LayoutSource = 'set' | 'measured' | 'default';

export interface ChosenLayout extends Layout {
  readonly source: LayoutSource;
}

/** More threads than this for one call pay for no model that was tried; each step doubles. */
const threadsMax = 8;
/** The rest is for the worker, the other processes and the system. */
const memoryShare = 0.6;
/** A challenger must be faster by this in five of six pairs of blocks: half of that is noise, and a change costs a restart. */
const gainMin = 1.05;
const doubtfulShare = 1 / 6;

/** What is in force: settings first, then what was measured, then a lane per core (one on a GPU). */
export function layoutFor(device: string, settings: Settings, measured: Layout | null = null): ChosenLayout {
  const { lanesPerWorker: lanes, laneThreads: threads } = settings;
  const cores = device === 'cpu' ? availableParallelism() : 1;
  if (lanes > 0) return { lanes, threads: Math.max(1, threads), source: 'set' };
  if (threads > 0) return { lanes: lanesOf(cores, threads), threads, source: 'set' };
  return measured ? { ...measured, source: 'measured' } : { lanes: cores, threads: 1, source: 'default' };
}

/** Bytes that the models of all lanes may take. Of a GPU's memory nobody here knows what a model takes. */
export function memoryFor(device: string, { modelMemoryBytes }: Settings): number {
  if (device !== 'cpu') return Number.POSITIVE_INFINITY;
  return modelMemoryBytes || memoryShare * Math.min(totalmem(), process.constrainedMemory() || totalmem());
}

/** All that use every core, from one thread a lane upwards. */
export function candidates(cores: number): Layout[] {
  const layouts: Layout[] = [];
  for (let threads = 1; threads <= Math.min(cores, threadsMax); threads *= 2)
    layouts.push({ lanes: lanesOf(cores, threads), threads });
  return layouts;
}

/** `ratios`: of the challenger's work over that of the layout in force, one per pair of blocks. */
export function isFaster(ratios: readonly number[]): boolean {
  const sorted = ratios.toSorted((a, b) => a - b);
  return (sorted[Math.floor(doubtfulShare * sorted.length)] ?? 0) >= gainMin;
}

export function isSame(a: Layout, b: Layout): boolean {
  return a.lanes === b.lanes && a.threads === b.threads;
}

function lanesOf(cores: number, threads: number): number {
  return Math.max(1, Math.floor(cores / threads));
}
