/**
 * The gate before everything: closed while Redis is nearly full, away, or a queue's oldest job is too old. Polls twice a
 * second, so that a request costs a comparison. Exact bounds by count are the admit script's.
 */
import type { Redis } from 'ioredis';
import type { JobClass } from '../../shared/jobs/job.ts';
import { jobClasses } from '../../shared/jobs/job.ts';
import { keys, queueName } from '../../shared/jobs/keys.ts';
import type { JobQueues } from '../../shared/jobs/queues.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { Repeat } from '../repeat.ts';
import { retryAfterSeconds } from './retry-after.ts';

const pollEveryMs = 500;
/** Well below maxmemory: at 100 % with `noeviction` no waiting job could be worked off (0 of 4,127 measured). */
const memoryClosesAt = 0.7;
const memoryReopensAt = 0.65;

/**
 * Behind so many unfinished jobs a newcomer waits its turn longer than this, and may wait for others to be admitted with: an
 * answer of a lane brings several requests within 2 ms, and each script is an fsync and wakes a worker.
 */
const companyMin = 8;
const lingerMs = 2;

export interface QueueState {
  readonly model: string;
  readonly jobClass: JobClass;
  readonly waiting: number;
  readonly unfinished: number;
  /** Since admission, of the oldest that waits, and of the oldest that is claimed. */
  readonly oldestSeconds: number;
  readonly oldestClaimedSeconds: number;
}

export interface AdmissionParts {
  readonly redis: Redis;
  readonly queues: JobQueues;
  readonly models: () => readonly string[];
  readonly queueMax: number;
  readonly ageMaxSeconds: number;
}

export const refusalReasons = ['redis-away', 'memory', 'queue-full', 'queue-age'] as const;
export type RefusalReason = (typeof refusalReasons)[number];

export class AdmissionGate {
  readonly #parts: AdmissionParts;
  #states = new Map<string, QueueState>();
  #isMemoryFull = false;
  #isRedisAway = false;
  #tenantJobsMax = 0;
  readonly #polls = new Repeat(pollEveryMs, () => this.poll());

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    await this.poll();
    this.#polls.start();
  }

  stop(): void {
    void this.#polls.stop();
  }

  get states(): readonly QueueState[] {
    return [...this.#states.values()];
  }

  /** Unfinished jobs of the tenant that has most. */
  get tenantJobsMax(): number {
    return this.#tenantJobsMax;
  }

  /** Reason -> how many queues take nothing because of it. */
  countClosed(): ReadonlyMap<RefusalReason, number> {
    const counts = new Map<RefusalReason, number>(refusalReasons.map((reason) => [reason, 0]));
    if (this.closedFor) return counts.set(this.closedFor, this.#parts.models().length * jobClasses.length);
    for (const { model, jobClass } of this.#states.values()) {
      const reason = this.refusalFor(model, jobClass);
      if (reason) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    return counts;
  }

  /** False once a poll failed, until one succeeds. */
  get isRedisThere(): boolean {
    return !this.#isRedisAway;
  }

  /** Why nothing at all is admitted now, or null. */
  get closedFor(): RefusalReason | null {
    if (this.#isRedisAway) return 'redis-away';
    return this.#isMemoryFull ? 'memory' : null;
  }

  /** Why this queue takes nothing now, or null. */
  refusalFor(model: string, jobClass: JobClass): RefusalReason | null {
    if (this.closedFor) return this.closedFor;
    const state = this.#states.get(queueName(model, jobClass));
    if (!state) return null;
    if (state.unfinished >= this.#parts.queueMax) return 'queue-full';
    return state.waiting > 0 && state.oldestSeconds > this.#parts.ageMaxSeconds ? 'queue-age' : null;
  }

  /** How long an admission to this queue may wait for company. */
  lingerMsFor(model: string, jobClass: JobClass): number {
    return (this.#states.get(queueName(model, jobClass))?.unfinished ?? 0) < companyMin ? 0 : lingerMs;
  }

  async poll(): Promise<void> {
    try {
      const [memory, live] = await Promise.all([
        this.#parts.redis.info('memory'),
        this.#parts.redis.hgetall(keys.live),
      ]);
      this.#judgeMemory(memory);
      this.#tenantJobsMax = busiestTenant(live);
      this.#states = await this.#readQueues(live);
      this.#isRedisAway = false;
    } catch {
      this.#isRedisAway = true;
    }
  }

  #judgeMemory(info: string): void {
    const number = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    const max = number('maxmemory');
    const share = max === 0 ? 0 : number('used_memory') / max;
    this.#isMemoryFull = share >= (this.#isMemoryFull ? memoryReopensAt : memoryClosesAt);
  }

  /** Empty queues cost nothing: the counters of unfinished jobs say which have any. */
  async #readQueues(live: Record<string, string>): Promise<Map<string, QueueState>> {
    const states = new Map<string, QueueState>();
    const reads: Promise<void>[] = [];
    for (const model of this.#parts.models()) {
      for (const jobClass of jobClasses) {
        const name = queueName(model, jobClass);
        const unfinished = Number(live[`q:${name}`] ?? 0);
        if (unfinished === 0)
          states.set(name, { model, jobClass, unfinished, waiting: 0, oldestSeconds: 0, oldestClaimedSeconds: 0 });
        else
          reads.push(
            this.#parts.queues.depth(model, jobClass).then(({ waiting, oldestMs, oldestClaimedMs }) => {
              const ages = { oldestSeconds: oldestMs / 1000, oldestClaimedSeconds: oldestClaimedMs / 1000 };
              states.set(name, { model, jobClass, unfinished, waiting, ...ages });
            }),
          );
      }
    }
    await Promise.all(reads);
    return states;
  }
}

function busiestTenant(live: Record<string, string>): number {
  let most = 0;
  for (const name in live) if (name.startsWith('t:')) most = Math.max(most, Number(live[name]));
  return most;
}

/** What a refused caller is told. */
export function overloaded(reason: RefusalReason): Problem {
  const [detail, wish] = {
    'redis-away': ['The job store can not be reached; nothing was accepted.', 2],
    memory: ['The job store is nearly full; nothing was accepted until jobs end.', 10],
    'queue-full': ['The queue of this model is full; nothing was accepted.', 5],
    'queue-age': ['Jobs of this model wait longer than they should; nothing was accepted.', 10],
  }[reason] as [string, number];
  return new Problem('overloaded', detail, { retryAfterSeconds: retryAfterSeconds(wish) });
}
