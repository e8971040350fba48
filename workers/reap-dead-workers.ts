/**
 * What a worker that was killed leaves behind: entries of its models, and of the calls that were under way. Jobs on board
 * of such a call are suspects from then on. Every worker looks at its start and now and then; taking an entry away is
 * atomic, so a death is counted once.
 */
import type { Redis } from 'ioredis';
import { keys } from '../shared/jobs/keys.ts';
import type { JobStore } from '../shared/jobs/store/job-store.ts';
import type { JobRef } from '../shared/jobs/store/words.ts';

/** Returns how many jobs became suspects. */
export async function reapDeadWorkers(redis: Redis, store: JobStore): Promise<number> {
  const [calls, models] = await Promise.all([redis.hgetall(keys.calls), redis.hkeys(keys.modelStates)]);
  const names = new Set([...Object.keys(calls).map((field) => head(field)), ...models.map((field) => tail(field))]);
  let suspects = 0;
  for (const worker of names) {
    if ((await redis.exists(keys.workerAlive(worker))) === 1) continue;
    const stale = models.filter((field) => tail(field) === worker);
    if (stale.length > 0) await redis.hdel(keys.modelStates, ...stale);
    for (const [field, members] of Object.entries(calls)) {
      if (head(field) !== worker || (await redis.hdel(keys.calls, field)) !== 1) continue;
      const refs = parseMembers(members);
      suspects += (await store.countCrash(refs)).filter((count) => count > 0).length;
    }
  }
  return suspects;
}

/** `<worker>/<lane>`: worker names have no slash. */
function head(field: string): string {
  return field.slice(0, field.indexOf('/'));
}

/** `<model>/<worker>` */
function tail(field: string): string {
  return field.slice(field.lastIndexOf('/') + 1);
}

export function parseMembers(members: string): JobRef[] {
  return members
    .split(',')
    .filter(Boolean)
    .map((member) => {
      const slash = member.indexOf('/');
      return { tenant: member.slice(0, slash), id: member.slice(slash + 1) };
    });
}
