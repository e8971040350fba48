/**
 * Finds out which layout serves this machine's own calls best, and when: once a worker has run some hundred calls and has
 * then had nothing to do for a minute, it races the layouts on a sample of them. A better one is kept in a file and taken
 * by the next process; the owner is told, so that it can start one now, while nobody waits. Whoever has set lanes or
 * threads is not asked.
 */
import { availableParallelism } from 'node:os';
import { type ModelFiles, unitOf } from '../../models/repository/model-files.ts';
import type { Settings } from '../../shared/config/settings.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { CallSample, type SampledCall } from './call-sample.ts';
import { type ChosenLayout, candidates, isFaster, isSame, type Layout, layoutFor } from './layout.ts';
import { LayoutFile, type Verdict } from './layout-file.ts';
import { pickModels, raceLayouts, unitsOf } from './layout-race.ts';

export interface KeeperOptions {
  readonly device: string;
  readonly settings: Settings;
  readonly logger: Logger;
  /** A layout other than that in force is better, and nothing is under way. */
  readonly onBetter: (layout: Layout) => void;
  /** Module of the lane process; the real one when absent. */
  readonly entry?: string;
  /** Those of this machine when absent. */
  readonly cores?: number;
  readonly pace?: Pace;
}

interface Pace {
  readonly lookMs: number;
  readonly idleMs: number;
  readonly callsMin: number;
}

/** What the keeper sees of its worker. */
export interface WatchedWorker {
  /** Nothing is claimed, waits or runs. */
  isIdle(): boolean;
  /** Those that its lanes have. */
  models(): readonly ModelFiles[];
  /** What a unit takes in one lane. */
  memoryOf(unit: string): number;
}

const usualPace: Pace = { lookMs: 5000, idleMs: 60_000, callsMin: 200 };
/** How often a race looks whether somebody waits. */
const guardMs = 50;
/** A race that somebody breaks off doubles the rest before the next, up to this: a job every 65 s would break off every one. */
const idleMsMax = 3_600_000;
/** Of the memory that is free: both teams of lanes are loaded beside the worker's own. */
const memoryShareMax = 0.5;

export class LayoutKeeper {
  readonly inForce: ChosenLayout;
  readonly #options: KeeperOptions;
  readonly #pace: Pace;
  readonly #candidates: readonly Layout[];
  readonly #file: LayoutFile;
  readonly #sample = new CallSample();
  readonly #stop = new AbortController();
  #measured: readonly string[];
  /** Without work for so long, the worker rests. */
  #idleMs: number;
  #timer: NodeJS.Timeout | undefined;
  #idleSinceMs: number | null = null;
  #racing: Promise<void> | null = null;

  private constructor(options: KeeperOptions, file: LayoutFile, verdict: Verdict | null) {
    this.#options = options;
    this.#pace = options.pace ?? usualPace;
    this.#idleMs = this.#pace.idleMs;
    this.#candidates = candidates(options.cores ?? availableParallelism());
    this.#file = file;
    this.inForce = layoutFor(options.device, options.settings, verdict?.layout);
    this.#measured = verdict?.units ?? [];
  }

  static async open(options: KeeperOptions): Promise<LayoutKeeper> {
    const file = new LayoutFile(options.settings.dataDir, options.device, options.logger);
    return new LayoutKeeper(options, file, await file.read());
  }

  /** A GPU has one lane: a second would only take its memory. */
  get isMeasuring(): boolean {
    const { device } = this.#options;
    return this.inForce.source !== 'set' && device === 'cpu' && this.#candidates.length > 1;
  }

  offer(call: SampledCall): void {
    if (this.isMeasuring) this.#sample.offer(call);
  }

  watch(worker: WatchedWorker): void {
    if (this.isMeasuring) this.#timer = setInterval(() => this.#look(worker), this.#pace.lookMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#racing;
  }

  #look(worker: WatchedWorker): void {
    const nowMs = performance.now();
    if (!worker.isIdle()) this.#idleSinceMs = null;
    else this.#idleSinceMs ??= nowMs;
    const isResting = this.#idleSinceMs !== null && nowMs - this.#idleSinceMs >= this.#idleMs;
    if (!isResting || this.#racing || this.#sample.seen < this.#pace.callsMin) return;
    const units = unitsOf(this.#sample.calls);
    if (units.every((unit) => this.#measured.includes(unit))) {
      this.#sample.clear();
      return;
    }
    this.#racing = this.#race(worker, units).finally(() => {
      this.#racing = null;
      this.#idleSinceMs = null;
    });
  }

  async #race(worker: WatchedWorker, units: readonly string[]): Promise<void> {
    const models = pickModels(units, worker.models());
    const known = new Set(models.map(unitOf));
    const calls = this.#sample.calls.filter(({ model }) => known.has(model));
    if (calls.length === 0) return this.#sample.clear();
    const guard = new AbortController();
    const timer = setInterval(() => !worker.isIdle() && guard.abort(), guardMs);
    try {
      const signal = AbortSignal.any([guard.signal, this.#stop.signal]);
      const best = await this.#findBest(worker, models, calls, signal);
      if (best) await this.#conclude(best, units);
      // Broken off by nobody: a model that fails where it is raced would fail there every minute.
      else if (!signal.aborted) this.#measured = [...this.#measured, ...units];
      else this.#idleMs = Math.min(idleMsMax, 2 * this.#idleMs);
    } finally {
      clearInterval(timer);
    }
  }

  /** Null when it was broken off: it is tried again when the worker rests again. */
  async #findBest(
    worker: WatchedWorker,
    models: readonly ModelFiles[],
    calls: readonly SampledCall[],
    signal: AbortSignal,
  ): Promise<Layout | null> {
    const { device, entry, logger } = this.#options;
    let best: Layout = this.inForce;
    for (const challenger of this.#candidates) {
      if (isSame(challenger, best)) continue;
      const laneBytes = models.reduce((sum, files) => sum + worker.memoryOf(unitOf(files)), 0);
      if ((best.lanes + challenger.lanes) * laneBytes > memoryShareMax * process.availableMemory()) continue;
      const ratios = await raceLayouts(best, challenger, { device, models, calls, signal, ...(entry && { entry }) });
      if (!ratios) return null;
      const middle = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] as number;
      const against = { lanes: best.lanes, threads: best.threads };
      logger.info({ ...challenger, against, ratio: Number(middle.toFixed(2)) }, 'lanes and threads measured');
      if (isFaster(ratios)) best = challenger;
    }
    return best;
  }

  async #conclude({ lanes, threads }: Layout, units: readonly string[]): Promise<void> {
    this.#measured = [...new Set([...this.#measured, ...units])];
    this.#sample.clear();
    const isKept = await this.#file.write({ layout: { lanes, threads }, units: this.#measured });
    const isNew = !isSame({ lanes, threads }, this.inForce);
    this.#options.logger.info({ lanes, threads, units }, isNew ? 'another layout is faster' : 'the layout stays');
    // Not kept, it would be measured again and end the next process, too, and so on for ever.
    if (isNew && isKept && !this.#stop.signal.aborted) this.#options.onBetter({ lanes, threads });
  }
}
