/**
 * What workers can run right now: the repository's models with the load states that workers write. An entry of a worker
 * that shows no sign of life is left out.
 */
import type { Redis } from 'ioredis';
import { keys } from '../../shared/jobs/keys.ts';
import type { ModelEntry, ModelStatus } from '../../shared/jobs/model-entry.ts';

export type WorkerState = ModelEntry & { readonly worker: string };

/** Load states by model. */
export async function readModelStates(redis: Redis): Promise<Map<string, WorkerState[]>> {
  const fields = Object.entries(await redis.hgetall(keys.modelStates));
  const workers = [...new Set(fields.map(([field]) => workerOf(field)))];
  const alive = await Promise.all(workers.map((worker) => redis.exists(keys.workerAlive(worker))));
  const living = new Set(workers.filter((_, index) => alive[index] === 1));
  const states = new Map<string, WorkerState[]>();
  for (const [field, json] of fields) {
    const worker = workerOf(field);
    if (!living.has(worker)) continue;
    const model = field.slice(0, field.indexOf('/'));
    states.set(model, [...(states.get(model) ?? []), readEntry(worker, json)]);
  }
  return states;
}

/** A worker of the release before says less. */
function readEntry(worker: string, json: string): WorkerState {
  const { state, version, device, at, ...said } = JSON.parse(json) as Partial<ModelEntry> &
    Pick<ModelEntry, 'state' | 'version' | 'device' | 'at'>;
  const { error = null, versions = [], lanes = 1, threads = 1 } = said;
  return { worker, state, version, device, lanes, threads, error, versions, at };
}

/** Model -> when an operator unloaded it. */
export async function readUnloaded(redis: Redis): Promise<ReadonlyMap<string, string>> {
  return new Map(Object.entries(await redis.hgetall(keys.unloadedModels)));
}

/** The best that any worker can say: one that is ready is enough. */
export function statusOf(workers: readonly WorkerState[], unloadedAt?: string): ModelStatus {
  if (workers.some(({ state }) => state === 'unloading')) return 'unloading';
  if (unloadedAt !== undefined) return 'unloaded';
  for (const state of ['ready', 'loading', 'quarantined', 'failed'] as const) {
    if (workers.some((worker) => worker.state === state)) return state;
  }
  return 'no-worker';
}

/** Model ids have no slash. */
function workerOf(field: string): string {
  return field.slice(field.indexOf('/') + 1);
}
