/**
 * All models of one worker: brings what the repository holds, less what operators unloaded, to what is served. Called
 * when folders change, when an operator speaks, and every two seconds, so that a message that was lost only delays.
 * Which folders there are is the watch's business, which unit a job gets the model's.
 */
import type { BrokenModel, ModelFiles, ModelRepository } from '../../models/repository/model-files.ts';
import { unitOf } from '../../models/repository/model-files.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import type { ModelDetail, ModelState } from '../lane/lane-pool.ts';
import { type Consumers, type ModelReport, ServedModel } from './served-model.ts';

export interface RosterParts {
  readonly lanes: { add(files: ModelFiles): void; remove(unit: string): void };
  readonly warm: (files: ModelFiles) => Promise<void>;
  /** Opens the consumers of a model. */
  readonly open: (model: ServedModel, canaryMs: number) => Consumers;
  readonly tell: (id: string, report: ModelReport) => void;
  /** Nothing of it is left here. */
  readonly forget: (id: string) => void;
  /** Ids that operators unloaded; rejects while Redis is away. */
  readonly readUnloaded: () => Promise<ReadonlySet<string>>;
  readonly logger: Logger;
}

export class ModelRoster {
  readonly #parts: RosterParts;
  readonly #served = new Map<string, ServedModel>();
  /** Closing: jobs that were claimed run to their end. */
  readonly #closing = new Map<string, Promise<void>>();
  readonly #told = new Map<string, string>();
  #repository: ModelRepository;
  #unloaded: ReadonlySet<string> = new Set();
  #syncing: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(repository: ModelRepository, parts: RosterParts) {
    this.#repository = repository;
    this.#parts = parts;
  }

  update(repository: ModelRepository): Promise<void> {
    this.#repository = repository;
    return this.sync();
  }

  /** Reads again what is unloaded, and acts on it. One at a time. */
  sync(): Promise<void> {
    this.#syncing = this.#syncing.then(async () => {
      // Redis away: what was unloaded stays so.
      this.#unloaded = await this.#parts.readUnloaded().catch(() => this.#unloaded);
      this.#apply();
    });
    return this.#syncing;
  }

  lanesSay(files: ModelFiles, state: ModelState, detail: ModelDetail): void {
    this.#served.get(files.id)?.lanesSay(unitOf(files), state, detail);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#syncing;
    for (const id of this.#served.keys()) this.#close(id);
    await Promise.all(this.#closing.values());
  }

  #apply(): void {
    if (this.#isStopped) return;
    const byId = Map.groupBy(this.#repository.models, ({ id }) => id);
    for (const id of new Set([...byId.keys(), ...this.#served.keys()])) {
      const fault = faultOf(id, this.#repository.broken);
      const wanted = byId.get(id) ?? null;
      if (this.#closing.has(id)) continue; // Comes back here when it is closed.
      if (this.#unloaded.has(id) || (wanted === null && fault === null)) this.#close(id);
      else if (wanted !== null || this.#served.has(id)) this.#modelOf(id).update(wanted, fault);
    }
  }

  #modelOf(id: string): ServedModel {
    let model = this.#served.get(id);
    if (!model) {
      const { lanes, warm, open } = this.#parts;
      const made = new ServedModel(id, {
        warm,
        open: (canaryMs) => open(made, canaryMs),
        addToLanes: (files) => lanes.add(files),
        removeFromLanes: ({ name }) => lanes.remove(name),
        tell: (report) => this.#tell(id, report),
      });
      model = made;
      this.#served.set(id, model);
    }
    return model;
  }

  #close(id: string): void {
    const model = this.#served.get(id);
    if (!model || this.#closing.has(id)) return;
    const closing = model.close().then(() => {
      this.#closing.delete(id);
      this.#served.delete(id);
      this.#told.delete(id);
      this.#parts.forget(id);
      this.#parts.logger.info({ model: id }, 'model unloaded');
      this.#apply();
    });
    this.#closing.set(id, closing);
  }

  /** Says only what is new: every lane that loads a model would say it again. */
  #tell(id: string, report: ModelReport): void {
    const words = JSON.stringify(report);
    if (this.#told.get(id) === words) return;
    this.#told.set(id, words);
    this.#parts.tell(id, report);
  }
}

/** What is wrong with the folder, or with one of its versions. */
function faultOf(id: string, broken: readonly BrokenModel[]): string | null {
  const own = broken.find((model) => model.id === id);
  if (own) return own.reason;
  const part = broken.find((model) => model.id.startsWith(`${id}@`));
  return part ? `version ${part.id.slice(id.length + 1)}: ${part.reason}` : null;
}
