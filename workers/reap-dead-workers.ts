/**
 * What a worker that was killed leaves behind: entries of its models, of the calls that were under way, and its claims.
 * Jobs on board of such a call are suspects from then on, and only then what it had claimed waits again. Every worker looks
 * every second; taking an entry away is atomic, so a death is counted once.
 */
import type { Redis } from 'ioredis';
import { keys } from '../shared/jobs/keys.ts';
import { putBack } from '../shared/jobs/store/claims.ts';
import type { JobStore } from '../shared/jobs/store/job-store.ts';
import type { JobRef, Stray } from '../shared/jobs/store/words.ts';
import type { Logger } from '../shared/observability/logger.ts';
import type { HeldClaims } from './claims/held-claims.ts';
import { aliveMs } from './serving/model-states.ts';

/** A dead worker's sign of life lapses in 4 s, and two looks must find its claims: they wait again after 4 to 6 s. */
const lookEveryMs = 1000;
/** No answer for this long: Redis was away, or this process stood still. */
const gapMsMax = 2500;

export class Reaper {
  readonly #redis: Redis;
  readonly #store: JobStore;
  readonly #claims: HeldClaims;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #answeredMs = Number.NEGATIVE_INFINITY;
  /** After a gap others may live and not have been able to say so: for one lifetime nobody is taken for dead. */
  #trustedFromMs = 0;

  constructor(redis: Redis, store: JobStore, claims: HeldClaims, logger: Logger) {
    this.#redis = redis;
    this.#store = store;
    this.#claims = claims;
    this.#logger = logger;
  }

  start(): void {
    void this.#look();
    this.#timer = setInterval(() => void this.#look(), lookEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const left = await readLeftovers(this.#redis, this.#claims);
      const nowMs = performance.now();
      if (nowMs - this.#answeredMs > gapMsMax) this.#trustedFromMs = nowMs + aliveMs;
      this.#answeredMs = nowMs;
      if (nowMs < this.#trustedFromMs) return;
      const suspects = await reap(this.#redis, this.#store, left);
      if (suspects > 0) this.#logger.warn({ suspects }, 'a worker died in calls; its rows run alone');
      const jobs = await putBack(this.#redis, left.strays);
      if (jobs > 0) this.#logger.warn({ jobs }, 'jobs wait again: the worker that held them is gone');
    } catch (error) {
      this.#logger.debug({ err: error }, 'looking for dead workers failed');
    } finally {
      this.#isLooking = false;
    }
  }
}

interface Leftovers {
  readonly calls: Record<string, string>;
  readonly models: readonly string[];
  /** Claims of the dead as Redis sees it, a moment before anybody is asked whether he lives. */
  readonly strays: readonly Stray[];
}

async function readLeftovers(redis: Redis, claims: HeldClaims): Promise<Leftovers> {
  const strays = await claims.findStrays();
  const [calls, models] = await Promise.all([redis.hgetall(keys.calls), redis.hkeys(keys.modelStates)]);
  return { calls, models, strays };
}

/** Returns how many jobs became suspects. */
async function reap(redis: Redis, store: JobStore, { calls, models }: Leftovers): Promise<number> {
  const names = [...new Set([...Object.keys(calls).map(head), ...models.map(tail)])];
  const alive = await Promise.all(names.map((name) => redis.exists(keys.workerAlive(name))));
  const dead = new Set(names.filter((_, at) => alive[at] === 0));
  if (dead.size === 0) return 0;
  const stale = models.filter((field) => dead.has(tail(field)));
  if (stale.length > 0) await redis.hdel(keys.modelStates, ...stale);
  let suspects = 0;
  for (const [field, members] of Object.entries(calls)) {
    if (!dead.has(head(field)) || (await redis.hdel(keys.calls, field)) !== 1) continue;
    suspects += (await store.countCrash(parseMembers(members))).filter((count) => count > 0).length;
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

function parseMembers(members: string): JobRef[] {
  return members
    .split(',')
    .filter(Boolean)
    .map((member) => {
      const slash = member.indexOf('/');
      return { tenant: member.slice(0, slash), id: member.slice(slash + 1) };
    });
}
