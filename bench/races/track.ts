/**
 * Where policies are raced: in the simulator, or on real lanes in real time. A race is the same on both: who decides, what
 * comes in, for how long; what comes back is when each row had its result.
 */

import type { Contender } from '../peers/contenders.ts';
import type { Load } from '../simulator/loads.ts';
import type { EndedRow } from '../simulator/simulate.ts';

export interface Race {
  readonly contender: Contender;
  readonly loads: readonly Load[];
  readonly ms: number;
}

export interface Track {
  readonly lanes: number;
  run(race: Race): Promise<readonly EndedRow[]>;
}
