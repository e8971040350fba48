/** A track in virtual time. */
import { LearnedCostModel } from '../../workers/scheduling/cost-model.ts';
import type { ModelMemory } from '../../workers/scheduling/warm-start/model-memory.ts';
import { createRandom } from '../simulator/random.ts';
import { type EndedRow, type SimulatedDevice, simulate } from '../simulator/simulate.ts';
import type { Race, Track } from './track.ts';

export interface SimulatedRace extends Race {
  /** What an earlier run learned of what calls cost. */
  readonly remembered?: ReadonlyMap<string, ModelMemory>;
}

export class SimulatedTrack implements Track {
  /** What the last race learned. */
  memories: ReadonlyMap<string, ModelMemory> = new Map();
  readonly #device: SimulatedDevice;
  readonly #seed: number;

  constructor(device: SimulatedDevice, seed = 2) {
    this.#device = device;
    this.#seed = seed;
  }

  get lanes(): number {
    return this.#device.lanes;
  }

  async run({ contender, loads, ms, remembered }: SimulatedRace): Promise<readonly EndedRow[]> {
    const cost = new LearnedCostModel(remembered);
    const policy = contender.create(cost);
    const random = createRandom(this.#seed);
    const { ended } = simulate({ device: this.#device, policy, cost, loads, random, untilMs: ms });
    this.memories = cost.memories();
    return ended;
  }
}
