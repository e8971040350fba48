/** Says what this worker can run wherever somebody asks: in Redis for the API, in metrics, in the log, in its own health. */
import type { Logger } from '../../shared/observability/logger.ts';
import type { InferenceMetrics } from '../inference-metrics.ts';
import type { Layout } from '../layout/layout.ts';
import type { ModelStates } from './model-states.ts';
import type { ModelReport } from './served-model.ts';

export interface AnnouncerParts {
  readonly states: ModelStates;
  readonly metrics: Pick<InferenceMetrics, 'modelReady' | 'modelLoad' | 'modelMemory'>;
  readonly logger: Logger;
  /** Jobs held by this worker. */
  readonly claimed: () => number;
  /** Of the lanes, each of which holds every model. */
  readonly layout: Layout;
}

export class ModelAnnouncer {
  readonly models = new Map<string, ModelReport>();
  readonly #parts: AnnouncerParts;

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
  }

  tell(id: string, report: ModelReport): void {
    const before = this.models.get(id);
    this.models.set(id, report);
    this.#log(id, report, before);
    this.#measure(id, report.versions, before?.versions ?? []);
    this.#parts.states.set(id, report, this.#parts.layout);
  }

  forget(id: string): void {
    this.#measure(id, [], this.models.get(id)?.versions ?? []);
    const { modelLoad, modelMemory } = this.#parts.metrics;
    for (const gauge of [modelLoad, modelMemory]) gauge.remove({ model: id });
    this.models.delete(id);
    this.#parts.states.remove(id);
  }

  async stop(): Promise<void> {
    await this.#parts.states.stop();
  }

  #log(model: string, { state, version, error }: ModelReport, before: ModelReport | undefined): void {
    const { logger, claimed } = this.#parts;
    const isNews = before?.state !== 'ready' || before.version !== version;
    if (state === 'ready' && isNews) logger.info({ model, version }, 'model ready');
    if (error === null || error === before?.error) return;
    const what = state === 'ready' ? 'model can not be reloaded' : 'model can not run here';
    logger.error({ model, version, reason: error, claimed: claimed() }, what);
  }

  #measure(model: string, now: ModelReport['versions'], before: ModelReport['versions']): void {
    const { modelReady } = this.#parts.metrics;
    for (const { version } of before)
      if (!now.some((other) => other.version === version)) modelReady.remove({ model, version });
    for (const version of new Set(now.map((other) => other.version))) {
      const isReady = now.some((other) => other.version === version && other.state === 'ready');
      modelReady.set({ model, version }, isReady ? 1 : 0);
    }
  }
}
