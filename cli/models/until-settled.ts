/** Waits until the running system has done what it was asked, as far as its workers say. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelFault } from '../../models/repository/manifest.ts';
import type { LoadedModel } from '../../shared/jobs/model-entry.ts';
import type { AdminClient } from './admin-client.ts';

const askEveryMs = 300;
/** A lane gives a load two minutes. */
const loadMsMax = 150_000;
/** A job may run for ten minutes; who waits longer asks with `models ps`. */
const unloadMsMax = 630_000;
/** A folder that was just put there is read after it rested for 2 s; a failure that is older says nothing yet. */
const noticeMsMax = 6000;

/** Ready on every worker that has it, or failed. */
export async function untilLoaded(admin: AdminClient, id: string): Promise<LoadedModel> {
  const startedMs = performance.now();
  return await untilSo(admin, id, loadMsMax, (model) => {
    if (!model || model.workers.length === 0 || model.unloaded_at !== null) return false;
    const states = model.workers.flatMap(({ versions }) =>
      versions.filter(({ current }) => current).map(({ state }) => state),
    );
    if (states.some((state) => state === 'loading')) return false;
    if (states.every((state) => state === 'ready') && model.error === null) return true;
    return performance.now() - startedMs > noticeMsMax;
  });
}

/** No worker has it. */
export async function untilUnloaded(admin: AdminClient, id: string): Promise<LoadedModel> {
  return await untilSo(admin, id, unloadMsMax, (model) => model?.workers.length === 0);
}

async function untilSo(
  admin: AdminClient,
  id: string,
  msMax: number,
  isSo: (model: LoadedModel | undefined) => boolean,
): Promise<LoadedModel> {
  const startedMs = performance.now();
  for (;;) {
    const model = (await admin.list()).find((other) => other.id === id);
    if (model && isSo(model)) return model;
    if (performance.now() - startedMs > msMax) {
      const found = model ? `it is ${model.status}` : 'no worker knows it';
      throw new ModelFault(`${id}: after ${Math.round(msMax / 1000)} s ${found}.`, { fix: 'npm run models -- ps' });
    }
    await sleep(askEveryMs);
  }
}
