/** All models of one worker that run on servers elsewhere, by unit: the lane pool's sibling, without a lane or a batch. */
import { loadChatFactory } from '../../models/discover-tasks.ts';
import { type ModelFiles, unitOf } from '../../models/repository/model-files.ts';
import type { Upstream } from '../../models/repository/upstream.ts';
import type { QueuedRow } from '../running/running-job.ts';
import { ChatServer } from './chat-server.ts';
import { type UpstreamEvents, UpstreamUnit } from './upstream-unit.ts';

export interface UpstreamLevels {
  readonly waiting: number;
  readonly underWay: number;
}

export class UpstreamPool {
  readonly #events: UpstreamEvents;
  readonly #units = new Map<string, UpstreamUnit>();
  /** Added, and not removed meanwhile: making a unit takes a turn or two. */
  readonly #wanted = new Set<string>();

  constructor(events: UpstreamEvents) {
    this.#events = events;
  }

  add(files: ModelFiles, upstream: Upstream): void {
    this.#wanted.add(unitOf(files));
    this.#events.onModel(files, 'loading', {});
    void this.#open(files, upstream);
  }

  /** The caller sees to it that no job of it is left; rows that it took over, of jobs of another unit, go to the next one. */
  remove(unit: string): void {
    this.#wanted.delete(unit);
    const leaving = this.#units.get(unit);
    if (!leaving) return;
    this.#units.delete(unit);
    const left = leaving.stop();
    const others = this.#unitsOf(leaving.files.id);
    (others.findLast(({ isReady }) => isReady) ?? others.at(-1))?.add(left);
  }

  has(unit: string): boolean {
    return this.#wanted.has(unit);
  }

  retry(model: string): void {
    for (const unit of this.#unitsOf(model)) unit.retry();
  }

  /** Calls of the model that its servers take at once; 0 for one that runs in lanes. */
  callsOf(model: string): number {
    return Math.max(0, ...this.#unitsOf(model).map(({ files }) => files.upstream?.concurrencyMax ?? 0));
  }

  /** Rows of one model. */
  enqueue(rows: readonly QueuedRow[]): void {
    const [first] = rows;
    if (!first) return;
    const unit = this.#units.get(first.model);
    if (!unit) throw new Error(`No upstream is open for ${first.model}.`);
    unit.add(rows);
  }

  levels(): ReadonlyMap<string, UpstreamLevels> {
    const byModel = Map.groupBy(this.#units.values(), ({ files }) => files.id);
    return new Map(
      [...byModel].map(([model, units]) => [
        model,
        {
          waiting: units.reduce((sum, { waiting }) => sum + waiting, 0),
          underWay: units.reduce((sum, { underWay }) => sum + underWay, 0),
        },
      ]),
    );
  }

  stop(): void {
    for (const unit of this.#units.values()) unit.stop();
    this.#units.clear();
    this.#wanted.clear();
  }

  /** The newest last. */
  #unitsOf(model: string): UpstreamUnit[] {
    return [...this.#units.values()].filter(({ files }) => files.id === model);
  }

  /** A unit that is ready takes over what waits for a server of the model that is not: somebody mended its URL. */
  readonly #hear: UpstreamEvents['onModel'] = (files, state, detail) => {
    this.#events.onModel(files, state, detail);
    const units = this.#unitsOf(files.id);
    const ready = units.findLast(({ isReady }) => isReady);
    if (ready) for (const unit of units) if (!unit.isReady) ready.add(unit.release());
  };

  async #open(files: ModelFiles, upstream: Upstream): Promise<void> {
    try {
      const factory = await loadChatFactory(files.task);
      const pipeline = await factory.createPipeline(files, 'merge');
      if (!this.#wanted.has(unitOf(files))) return;
      const server = new ChatServer(upstream);
      const events = { ...this.#events, onModel: this.#hear };
      const parts = { server, pipeline, callsMax: upstream.concurrencyMax, events };
      this.#units.set(unitOf(files), new UpstreamUnit(files, parts));
    } catch (error) {
      // Code of ours that can not be loaded: there is nothing to try again.
      this.#events.onModel(files, 'failed', { reason: (error as Error).message });
    }
  }
}
