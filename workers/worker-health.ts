/**
 * What makes a worker ready: Redis answers, a lane runs that has loaded something, and a model's consumers are open,
 * which they are only after its canary came back right. Reads; decides nothing.
 */
import { broken, type Examine, examineRedis, type Health, well } from '../shared/processes/health.ts';
import type { Redis } from '../shared/redis/connection.ts';
import type { ModelReport } from './serving/served-model.ts';

export interface WorkerLevels {
  /** What was told of each model last. */
  readonly models: ReadonlyMap<string, Pick<ModelReport, 'state' | 'error'>>;
  /** `loaded`: live lanes that hold a model. */
  readonly lanes: { readonly wanted: number; readonly loaded: number };
}

export function addWorkerHealth(health: Health, redis: Redis, worker: WorkerLevels): void {
  health.add('redis', examineRedis(redis));
  health.add('lanes', examineLanes(worker));
  health.add('models', examineModels(worker));
}

function examineLanes(worker: WorkerLevels): Examine {
  return () => {
    const { wanted, loaded } = worker.lanes;
    const detail = `${loaded} of ${wanted} lanes have loaded models`;
    return loaded > 0 ? well(detail) : broken(detail, 'Wait while they load; the log says why lanes end.');
  };
}

/** One model that can run is ready enough; the others are named. */
function examineModels(worker: WorkerLevels): Examine {
  return () => {
    const all = [...worker.models];
    const others = all.filter(([, { state }]) => state !== 'ready');
    const listed = others.slice(0, 8).map(([id, { state, error }]) => `${id} (${state}${error ? `: ${error}` : ''})`);
    const ready = all.length - others.length;
    const detail = `${ready} of ${all.length} models ready, canary passed${listed.length > 0 ? `; not ready: ${listed.join(', ')}` : ''}`;
    if (ready > 0) return well(detail);
    if (all.length === 0) return broken('no model to serve', 'Set MODELS_DIR to a folder of models.');
    return broken(detail, 'Wait while models load; npm run doctor checks their files.');
  };
}
