/**
 * The lanes of one device: keeps their number, loads every model into each, replaces a lane that ended, and sets a model
 * aside for a while when it crashes lanes. Tells its owner when a lane is free and when a model's state changes.
 */
import { type ModelFiles, unitOf } from '../../models/repository/model-files.ts';
import type { LoadState } from '../../shared/jobs/model-entry.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { Lane, laneEntry } from './lane.ts';
import type { LaneOptions } from './lane-protocol.ts';
import { Quarantine } from './quarantine.ts';
import { Residency } from './residency.ts';

export type ModelState = LoadState;

export interface LanePoolOptions extends LaneOptions {
  readonly lanes: number;
  /** Module that each lane process runs; the real one when absent. */
  readonly entry?: string;
  /** First pause before a load that failed is tried again; doubles up to five minutes. */
  readonly retryMs?: number;
  /** What the models of all lanes may take together; boundless when absent. */
  readonly memoryBytes?: number;
}

/** A lane whose rows wait for a model that has no place yet looks again. */
const placeMs = 250;
const retryMsFirst = 5000;
const retryMsMax = 300_000;

interface LoadFailure {
  readonly pauseMs: number;
  readonly untilMs: number;
}

export interface ModelDetail {
  readonly reason?: string;
  readonly canaryMs?: number;
  readonly loadMs?: number;
  readonly memoryBytes?: number;
}

export interface LanePoolEvents {
  /** A lane has nothing to do. The owner may start a call on it, synchronously. */
  onIdle(lane: Lane): void;
  onModel(files: ModelFiles, state: ModelState, detail: ModelDetail): void;
  onLaneEnd(lane: Lane, reason: string): void;
  /** Units of rows that wait, with the arrival of the first: who comes where not all models fit. */
  waits?(): ReadonlyMap<string, number>;
  /** Rows of this unit are being written on this lane. */
  isHeld?(lane: Lane, unit: string): boolean;
}

export class LanePool {
  readonly #options: LanePoolOptions;
  readonly #logger: Logger;
  readonly #events: LanePoolEvents;
  /** By unit: two states of one model may be here at once, while one takes over from the other. */
  readonly #models = new Map<string, ModelFiles>();
  readonly #failed = new Map<string, LoadFailure>();
  readonly #residency: Residency;
  readonly #leaving = new WeakMap<Lane, readonly string[]>();
  #placing: NodeJS.Timeout | undefined;
  readonly #lanes = new Map<string, Lane>();
  readonly #quarantine = new Quarantine();
  #births = 0;
  #stopping = false;

  constructor(options: LanePoolOptions, logger: Logger, events: LanePoolEvents) {
    this.#options = options;
    this.#logger = logger;
    this.#events = events;
    this.#residency = new Residency((options.memoryBytes ?? Number.POSITIVE_INFINITY) / options.lanes);
  }

  get size(): number {
    return this.#options.lanes;
  }

  /** Of the lanes that should be: one that ends is replaced under its name. */
  get laneNames(): readonly string[] {
    return Array.from({ length: this.size }, (_, i) => `lane-${i}`);
  }

  get lanes(): readonly Lane[] {
    return [...this.#lanes.values()];
  }

  /** Those that its lanes should have. */
  get models(): readonly ModelFiles[] {
    return [...this.#models.values()];
  }

  /** How many lanes have each model now, by its id. */
  residents(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const files of this.#models.values()) {
      const having = this.lanes.filter((lane) => lane.models.has(unitOf(files))).length;
      counts.set(files.id, Math.max(having, counts.get(files.id) ?? 0));
    }
    return counts;
  }

  /** Of one lane that has it; 0 until one does. */
  memoryOf(unit: string): number {
    return this.#residency.bytesOf(unit);
  }

  /** A model that writes token by token begins no more rows there: others have waited for its place long enough. */
  isLeaving(lane: Lane, unit: string): boolean {
    return this.#leaving.get(lane)?.includes(unit) ?? false;
  }

  start(): void {
    for (const name of this.laneNames) this.#openLane(name);
  }

  /** Rows that a lane writes at once; 0 for a model that takes whole calls, or that no lane has. */
  slotsOf(model: string): number {
    const units = [...this.#models].filter(([, { id }]) => id === model).map(([unit]) => unit);
    const slots = this.lanes.flatMap(({ models }) => units.map((unit) => models.get(unit)?.writes?.slots ?? 0));
    return Math.max(0, ...slots);
  }

  /** Every lane loads it, one after the other with the rest. */
  add(files: ModelFiles): void {
    this.#models.set(unitOf(files), files);
    this.#events.onModel(files, 'loading', {});
    for (const lane of this.lanes) this.offer(lane);
  }

  /** No lane has it any more, nor loads it again. The caller sees to it that no row of it waits. */
  remove(unit: string): void {
    this.#models.delete(unit);
    this.#failed.delete(unit);
    this.#residency.forget(unit);
    this.#quarantine.forget(unit);
    for (const lane of this.lanes) lane.unload(unit);
  }

  /** What failed or is set aside is tried now: somebody says that its cause is gone. */
  retry(model: string): void {
    for (const [unit, { id }] of this.#models) {
      if (id !== model) continue;
      this.#failed.delete(unit);
      this.#quarantine.forget(unit);
    }
    for (const lane of this.lanes) this.offer(lane);
  }

  /** Gives an idle lane its next load, or else to the owner. Called whenever a lane may have become idle. */
  offer(lane: Lane): void {
    if (this.#stopping || !lane.idle) return;
    const absent = [...this.#models.keys()].filter((unit) => this.#wantsLoad(lane, unit));
    const isSettled = absent.length === 0 && this.#residency.fits([...lane.models.keys()]);
    this.#leaving.delete(lane);
    const next = isSettled ? null : this.#place(lane, absent);
    if (next) void this.#load(lane, next);
    else this.#events.onIdle(lane);
  }

  /** One timer for all lanes that look for a place. */
  #lookAgain(): void {
    this.#placing ??= setTimeout(() => {
      this.#placing = undefined;
      for (const lane of this.#lanes.values()) this.offer(lane);
    }, placeMs).unref();
  }

  /** The model that the lane loads now, after those that leave it; null when none comes. */
  #place(lane: Lane, absent: readonly string[]): ModelFiles | null {
    const { waits, isHeld } = this.#events;
    const { unload, load, leaving, isWaiting } = this.#residency.next({
      nowMs: performance.now(),
      resident: [...lane.models.keys()],
      absent,
      waits: waits?.() ?? new Map(),
      isElsewhere: (unit) => this.lanes.some((other) => other !== lane && other.models.has(unit)),
      isHeld: (unit) => isHeld?.(lane, unit) ?? false,
    });
    for (const unit of unload) {
      lane.unload(unit);
      this.#logger.info({ lane: lane.name, unit, for: load }, 'model leaves its place in memory to another');
    }
    if (leaving.length > 0) this.#leaving.set(lane, leaving);
    if (isWaiting) this.#lookAgain();
    return load === null ? null : (this.#models.get(load) ?? null);
  }

  /** A call of this model killed its lane. Crashes in a row set the model aside: the others go on. */
  countCrash(model: string): void {
    const pauseMs = this.#quarantine.countCrash(model, performance.now());
    if (pauseMs > 0) this.#setAside(model, pauseMs, 'its calls keep killing lanes');
  }

  countSuccess(model: string): void {
    this.#residency.noteUse(model, performance.now());
    this.#quarantine.countSuccess(model);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.lanes.map((lane) => lane.stop()));
  }

  #openLane(name: string): void {
    if (this.#stopping) return;
    this.#births++;
    const { device, threads, entry = laneEntry } = this.#options;
    const lane = new Lane(name, { device, threads }, entry);
    this.#lanes.set(name, lane);
    lane.onEnd = (reason, loading) => {
      this.#lanes.delete(name);
      if (this.#stopping) return;
      this.#logger.warn({ lane: name, reason, loading }, 'lane ended; starting another');
      if (loading)
        this.#setAside(
          loading,
          this.#quarantine.countLoadCrash(loading, performance.now()),
          `loading it killed the lane: ${reason}`,
        );
      this.#events.onLaneEnd(lane, reason);
      // At once, but not in a tight loop when the process can not even start.
      setTimeout(() => this.#openLane(name), this.#births > 4 * this.size ? 250 : 0);
    };
    this.offer(lane);
  }

  #wantsLoad(lane: Lane, model: string): boolean {
    const nowMs = performance.now();
    const isFailed = (this.#failed.get(model)?.untilMs ?? 0) > nowMs;
    return !lane.models.has(model) && !isFailed && !this.#quarantine.isAside(model, nowMs);
  }

  async #load(lane: Lane, files: ModelFiles): Promise<void> {
    const load = await lane.load(files);
    if (!load) {
      // The lane died, and onEnd has seen to it; or it lives, and the model was set aside meanwhile.
    } else if (load.reason !== undefined) {
      this.#noteFailure(files, lane, load.reason);
    } else {
      this.#failed.delete(unitOf(files));
      const { canaryMs = 0, loadMs = 0, memoryBytes = 0 } = load;
      const { isAwaited } = files;
      this.#residency.noteLoad(unitOf(files), { bytes: memoryBytes, loadMs, isAwaited }, performance.now());
      this.#events.onModel(files, 'ready', { canaryMs, loadMs, memoryBytes });
    }
    this.offer(lane);
  }

  /** Tried again later, on every lane that lacks it. While another lane has it, the model runs. */
  #noteFailure(files: ModelFiles, lane: Lane, reason: string): void {
    const nowMs = performance.now();
    const unit = unitOf(files);
    if (!this.#models.has(unit)) return;
    const last = this.#failed.get(unit);
    // Lanes that load side by side fail side by side: one failure.
    if (!last || last.untilMs <= nowMs) {
      const pauseMs = last ? Math.min(retryMsMax, 2 * last.pauseMs) : (this.#options.retryMs ?? retryMsFirst);
      this.#failed.set(unit, { pauseMs, untilMs: nowMs + pauseMs });
      this.#logger.error({ model: files.id, lane: lane.name, reason, pauseMs }, 'model can not be loaded');
      this.#offerAllIn(pauseMs);
    }
    if (this.lanes.some(({ models }) => models.has(unit))) return;
    this.#residency.doubt(unit);
    this.#events.onModel(files, 'failed', { reason });
  }

  #offerAllIn(pauseMs: number): void {
    setTimeout(() => {
      for (const lane of this.#lanes.values()) this.offer(lane);
    }, pauseMs + 1).unref();
  }

  #setAside(model: string, pauseMs: number, reason: string): void {
    const files = this.#models.get(model);
    if (!files) return;
    this.#logger.error({ model, reason, seconds: pauseMs / 1000 }, 'model quarantined');
    for (const lane of this.#lanes.values()) lane.unload(model);
    this.#residency.doubt(model);
    this.#events.onModel(files, 'quarantined', { reason: `${reason}; tried again in ${Math.ceil(pauseMs / 1000)} s` });
    this.#offerAllIn(pauseMs);
  }
}
