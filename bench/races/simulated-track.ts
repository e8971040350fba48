/** A track in virtual time. */
import { LearnedCostModel } from '../../workers/scheduling/cost-model.ts';
import { createRandom } from '../simulator/random.ts';
import { type EndedRow, type SimulatedDevice, simulate } from '../simulator/simulate.ts';
import type { Race, Track } from './track.ts';

export class SimulatedTrack implements Track {
  readonly #device: SimulatedDevice;
  readonly #seed: number;

  constructor(device: SimulatedDevice, seed = 2) {
    this.#device = device;
    this.#seed = seed;
  }

  get lanes(): number {
    return this.#device.lanes;
  }

  async run({ contender, loads, ms }: Race): Promise<readonly EndedRow[]> {
    const cost = new LearnedCostModel();
    const policy = contender.create(cost);
    const random = createRandom(this.#seed);
    return simulate({ device: this.#device, policy, cost, loads, random, untilMs: ms }).ended;
  }
}
