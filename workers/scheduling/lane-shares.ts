/**
 * Keeps the lower classes alive below an endless higher one: while a class waits behind another's call, it earns a
 * twentieth of that call's time; when it has earned a call of its own, it gets one. Strict priorities otherwise.
 */
import { type JobClass, jobClasses } from '../../shared/jobs/job.ts';

/** Share of lane time for all that waits below the class that is served. */
const lowerShare = 0.05;
/** What a class may save up, ms: a burst of bulk calls after a long wait would be felt above. */
const savedMsMax = 200;

export class LaneShares {
  readonly #earnedMs = new Map<JobClass, number>();

  /** The class to serve. `waits` says which classes have rows; `callMs` what a class's next call would take. */
  pick(waits: ReadonlySet<JobClass>, callMs: (jobClass: JobClass) => number): JobClass {
    const present = jobClasses.filter((name) => waits.has(name));
    const top = present[0] as JobClass;
    for (const name of present.slice(1)) {
      if ((this.#earnedMs.get(name) ?? 0) >= Math.min(savedMsMax, callMs(name))) return name;
    }
    return top;
  }

  /** A call of `served` begins, and takes `ms` of a lane while the classes in `waits` wait. */
  charge(served: JobClass, ms: number, waits: ReadonlySet<JobClass>): void {
    const below = jobClasses.slice(jobClasses.indexOf(served) + 1).filter((name) => waits.has(name));
    for (const name of below) {
      const earned = (this.#earnedMs.get(name) ?? 0) + (lowerShare * ms) / below.length;
      this.#earnedMs.set(name, Math.min(savedMsMax, earned));
    }
    // A call may take more than was earned for it: the rest is owed. What waits below nobody owes nothing.
    const isTop = !jobClasses.slice(0, jobClasses.indexOf(served)).some((name) => waits.has(name));
    const left = isTop ? 0 : (this.#earnedMs.get(served) ?? 0) - ms;
    this.#earnedMs.set(served, Math.max(-savedMsMax, left));
    // What does not wait has no claim to what it earned when it did.
    for (const name of this.#earnedMs.keys()) if (!waits.has(name)) this.#earnedMs.set(name, 0);
  }
}
