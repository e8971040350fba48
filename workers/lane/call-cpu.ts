/**
 * The CPU that a lane spends on a call, from the answer before it to its own: with what it takes to read the rows and to write
 * results, and without what other processes took of the core meanwhile.
 */
import type { LaneOptions } from './lane-protocol.ts';

export class CallCpu {
  readonly #isTold: boolean;
  #before = process.cpuUsage();

  /** Threads that wait for each other spin, and a GPU's work is none of the CPU: there it says nothing. */
  constructor({ device, threads }: LaneOptions) {
    this.#isTold = device === 'cpu' && threads === 1;
  }

  /** What was done until now belongs to no call. */
  begin(): void {
    this.#before = process.cpuUsage();
  }

  end(): { readonly cpuMs?: number } {
    const { user, system } = process.cpuUsage(this.#before);
    this.begin();
    return this.#isTold ? { cpuMs: (user + system) / 1000 } : {};
  }
}
