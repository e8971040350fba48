/**
 * What workers can run right now: the repository's models with the load states that workers write. An entry of a worker
 * that shows no sign of life is left out.
 */
import type { Redis } from 'ioredis';
import { keys } from '../../shared/jobs/keys.ts';

export type ModelStatus = 'ready' | 'loading' | 'quarantined' | 'failed' | 'no-worker' | 'broken';

export interface WorkerState {
  readonly worker: string;
  readonly state: 'loading' | 'ready' | 'failed' | 'quarantined';
  readonly version: string;
  readonly device: string;
  readonly error: string | null;
  readonly at: string;
}

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
    const { state, version, device, error, at } = JSON.parse(json) as Omit<WorkerState, 'worker' | 'error'> & {
      error?: string;
    };
    states.set(model, [...(states.get(model) ?? []), { worker, state, version, device, error: error ?? null, at }]);
  }
  return states;
}

/** The best that any worker can say: one that is ready is enough. */
export function statusOf(workers: readonly WorkerState[]): ModelStatus {
  for (const state of ['ready', 'loading', 'quarantined', 'failed'] as const) {
    if (workers.some((worker) => worker.state === state)) return state;
  }
  return 'no-worker';
}

/** Model ids have no slash. */
function workerOf(field: string): string {
  return field.slice(field.indexOf('/') + 1);
}
