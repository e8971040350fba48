/**
 * One model as this worker serves it: its units (a version in one state of its files), and its consumers, which are open
 * while a unit is ready. What it tells is the truth: `ready` only while consumers are open.
 *
 * A unit that the repository no longer holds goes on serving until its successor is ready, so that a reload that fails
 * changes nothing; then it takes no new claims, and leaves the lanes with its last job. A model without any unit that is
 * wanted (unloaded, or its folder is gone) closes: consumers first, lanes last; what waits in its queues stays there.
 */
import { type ModelFiles, unitOf } from '../../models/repository/model-files.ts';
import type { ModelEntry } from '../../shared/jobs/model-entry.ts';
import type { ModelDetail, ModelState } from '../lane/lane-pool.ts';
import { ServedUnit } from './served-unit.ts';

export interface Consumers {
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** What the worker says of one model, for the API and for operators. */
export type ModelReport = Pick<ModelEntry, 'state' | 'version' | 'error' | 'versions'>;

export interface ServedModelParts {
  readonly warm: (files: ModelFiles) => Promise<void>;
  readonly open: (canaryMs: number) => Consumers;
  readonly addToLanes: (files: ModelFiles) => void;
  readonly removeFromLanes: (unit: ServedUnit) => void;
  readonly tell: (report: ModelReport) => void;
  readonly retryMs?: number;
}

export class ServedModel {
  readonly id: string;
  readonly #parts: ServedModelParts;
  #units: ServedUnit[] = [];
  #consumers: Consumers | null = null;
  /** Why the folder can not be read just now: what was read before goes on. */
  #fault: string | null = null;
  #isClosing = false;
  #isPaused = false;

  constructor(id: string, parts: ServedModelParts) {
    this.id = id;
    this.#parts = parts;
  }

  /** What the repository holds of it now; null for `wanted` when its folder can not be read, and `fault` says why. */
  update(wanted: readonly ModelFiles[] | null, fault: string | null): void {
    this.#fault = fault;
    if (wanted) {
      const names = new Set(wanted.map(unitOf));
      for (const unit of this.#units) unit.isWanted = names.has(unit.name);
      for (const files of wanted) this.#add(files);
    }
    this.#settle();
  }

  lanesSay(unitName: string, state: ModelState, detail: ModelDetail): void {
    this.#units.find(({ name }) => name === unitName)?.lanesSay(state, detail);
  }

  /**
   * Claims with the units that are ready, the one for jobs without a wish first; none of them leaves before `claim` has
   * returned. While consumers pause because lanes just lost the model, it is the one that they will have again.
   */
  async offer<Claims>(claim: (units: readonly ServedUnit[]) => Promise<Claims>): Promise<Claims> {
    const units = this.claimable();
    const holding = units.map((unit) => unit.hold());
    try {
      return await claim(units);
    } finally {
      for (const release of holding) release();
    }
  }

  /** What `offer` would offer now. */
  claimable(): readonly ServedUnit[] {
    const ready = this.#ready();
    if (ready.length > 0) return ready;
    const next = this.#units.find(({ isWanted }) => isWanted) ?? this.#units[0];
    return next ? [next] : [];
  }

  /** Whether the repository holds this version, ready or not. */
  holds(version: string): boolean {
    return this.#units.some((unit) => unit.isWanted && unit.files.version === version);
  }

  /** No new claims; resolves when those under way have ended and the lanes were told to let go. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#tell();
    await this.#consumers?.close();
    for (const unit of [...this.#units]) this.#drop(unit);
  }

  #unitParts() {
    const { warm, retryMs } = this.#parts;
    return { warm, changed: () => this.#settle(), ...(retryMs !== undefined && { retryMs }) };
  }

  #add(files: ModelFiles): void {
    const unit = new ServedUnit(files, this.#unitParts());
    if (this.#units.some(({ name }) => name === unit.name)) return;
    this.#units.push(unit);
    this.#units.sort((a, b) => Number(b.files.version) - Number(a.files.version));
    this.#parts.addToLanes(files);
  }

  #drop(unit: ServedUnit): void {
    unit.stop();
    this.#units = this.#units.filter((other) => other !== unit);
    this.#parts.removeFromLanes(unit);
  }

  /** Wanted ones first: a successor that is ready takes over at once. */
  #ready(): ServedUnit[] {
    const ready = this.#units.filter(({ state }) => state === 'ready');
    return [...ready.filter(({ isWanted }) => isWanted), ...ready.filter(({ isWanted }) => !isWanted)];
  }

  #settle(): void {
    if (this.#isClosing) return;
    for (const unit of [...this.#units]) if (this.#isReplaced(unit) && unit.claims === 0) this.#drop(unit);
    const [first] = this.#ready();
    if (!first) {
      if (!this.#isPaused) this.#consumers?.pause();
      this.#isPaused = true;
    } else if (!this.#consumers) this.#consumers = this.#parts.open(first.canaryMs);
    else if (this.#isPaused) this.#consumers.resume();
    if (first) this.#isPaused = false;
    this.#tell();
  }

  #isReplaced(unit: ServedUnit): boolean {
    if (unit.isWanted) return false;
    const wanted = this.#units.filter(({ isWanted }) => isWanted);
    const same = wanted.filter(({ files }) => files.version === unit.files.version);
    return (same.length > 0 ? same : wanted).some(({ state }) => state === 'ready');
  }

  #tell(): void {
    const [first] = this.#ready();
    const [lead = this.#units[0]] = [first ?? this.#units.find(({ isWanted }) => isWanted)];
    if (!lead) return;
    this.#parts.tell({
      state: this.#isClosing ? 'unloading' : lead.state,
      version: lead.files.version,
      error: this.#explain(lead),
      versions: this.#units.map((unit) => ({
        version: unit.files.version,
        state: unit.state,
        error: unit.reason,
        ready_since: unit.readySince,
        memory_bytes: unit.memoryBytes,
        current: unit.isWanted,
      })),
    });
  }

  /** The first thing that is wrong; of a model that serves all the same, what it serves with. */
  #explain(lead: ServedUnit): string | null {
    const troubled = this.#units.find((unit) => unit.isWanted && unit !== lead && unit.reason !== null);
    const trouble = this.#fault ?? (troubled && `version ${troubled.files.version}: ${troubled.reason}`) ?? null;
    if (lead.state !== 'ready') return lead.reason ?? trouble;
    if (trouble === null) return null;
    return lead.isWanted && this.#fault === null
      ? trouble
      : `${trouble} (version ${lead.files.version} as it was goes on serving)`;
  }
}
