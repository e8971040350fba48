/**
 * What must happen though nobody asks, done by one API process at a time (a lease in Redis says which). Each duty runs
 * on its own beat, never twice at once; a fault is logged and the next beat tries again.
 */
import { holdLease } from '../../shared/jobs/store/duties.ts';
import { isRedisTrouble } from '../http/error-handler.ts';
import { Repeat } from '../repeat.ts';
import type { DutyParts } from './duty-parts.ts';
import { findLost } from './find-lost.ts';
import { expireUnstarted, sweepBlobs, sweepIncoming, sweepOrphans, trimTombstones } from './sweep.ts';

/** Returns how many jobs it had to look after. */
type Duty = (parts: DutyParts) => Promise<number>;

const minuteMs = 60_000;
const duties: Readonly<Record<string, { readonly everyMs: number; readonly run: Duty }>> = {
  expire: { everyMs: 500, run: expireUnstarted },
  'sweep-blobs': { everyMs: 5000, run: sweepBlobs },
  'find-lost': { everyMs: 30_000, run: findLost },
  'sweep-incoming': { everyMs: 5 * minuteMs, run: sweepIncoming },
  'sweep-orphans': { everyMs: 10 * minuteMs, run: sweepOrphans },
  'trim-tombstones': { everyMs: 10 * minuteMs, run: trimTombstones },
};

export class Duties {
  readonly #parts: DutyParts;
  readonly #beats: Repeat[] = [];

  constructor(parts: DutyParts) {
    this.#parts = parts;
  }

  start(): void {
    for (const [name, { everyMs }] of Object.entries(duties)) {
      // As if it had just been done: one that never is would have no age, and DutyStale nothing to watch.
      this.#parts.metrics.dutyRuns.set({ duty: name }, Date.now() / 1000);
      const beat = new Repeat(everyMs, () => this.run(name));
      beat.start();
      this.#beats.push(beat);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#beats.map((beat) => beat.stop()));
  }

  /** One beat of one duty, if this process has its lease. Never throws. */
  async run(name: string): Promise<number> {
    const duty = duties[name];
    const { redis, logger, holder, metrics } = this.#parts;
    if (!duty) return 0;
    try {
      // Three beats: a process that died is replaced soon, one that is slow keeps its turn.
      if (!(await holdLease(redis, name, holder, Math.max(5000, duty.everyMs * 3)))) return 0;
      const count = await duty.run(this.#parts);
      metrics.dutyRuns.set({ duty: name }, Date.now() / 1000);
      if (count > 0) {
        metrics.duties.inc({ duty: name }, count);
        logger.info({ duty: name, count }, 'duty done');
      }
      return count;
    } catch (error) {
      if (!isRedisTrouble(error)) logger.error({ err: error, duty: name }, 'duty failed');
      return 0;
    }
  }
}
